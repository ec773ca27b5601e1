// One value per axis in the order (z, y, x), for an image oriented to LPS axes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace escn {

template <typename T>
using Triple = std::array<T, 3>;

using Size = Triple<int64_t>;
using Index = Triple<int64_t>;

// Sizes that a network accepts: one ascending list per axis.
using ValidSizes = Triple<std::vector<int64_t>>;

// Voxels before and after, per axis.
struct Margin {
    int64_t before = 0;
    int64_t after = 0;
};

}  // namespace escn
