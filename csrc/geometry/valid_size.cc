#include "geometry/valid_size.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "geometry/text.h"

namespace escn {

int64_t valid_size(int64_t size, const std::vector<int64_t>& valid_sizes) {
    const auto larger = std::upper_bound(valid_sizes.begin(), valid_sizes.end(), size);
    return larger == valid_sizes.end() ? valid_sizes.back() : *larger;
}

void check_image(const Size& size, const Triple<double>& spacing) {
    // The plans count voxels in float32, which is exact up to this number.
    constexpr int64_t largest = int64_t{1} << 24;
    // Smoothing over millimetres of much smaller voxels would take all memory, and then its width would
    // overflow. io/plausibility.py has the same limit for scans.
    constexpr double least_mm = 0.001;
    for (int axis = 0; axis < 3; ++axis) {
        if (size[axis] < 1 || size[axis] > largest) {
            throw std::invalid_argument(
                "The image's size (z, y, x) must be between 1 and 2^24 voxels per axis, found " +
                to_text(size) + ".");
        }
        if (!(std::isfinite(spacing[axis]) && spacing[axis] >= least_mm)) {
            throw std::invalid_argument(
                "The image's spacing (z, y, x) must be finite and at least 0.001 mm, found " +
                to_text(spacing) + ".");
        }
    }
}

}  // namespace escn
