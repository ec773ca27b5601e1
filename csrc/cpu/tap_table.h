// Storage for one axis' banded operator (resample/taps.h).
#pragma once

#include <cstdint>
#include <vector>

#include "resample/taps.h"

namespace escn::cpu {

struct TapTable {
    explicit TapTable(const TapAxis& axis);

    TapRows rows() const { return {first.data(), count.data(), inside.data(), weights.data(), stride}; }
    int64_t size() const { return static_cast<int64_t>(first.size()); }

    // No row needs image voxels outside [begin, begin + extent). `first` counts from `begin`.
    int32_t begin = 0;
    int32_t extent = 0;

    std::vector<int32_t> first;
    std::vector<int32_t> count;
    std::vector<float> inside;
    std::vector<float> weights;
    int32_t stride;
};

}  // namespace escn::cpu
