#include "geometry/network_voxels.h"

#include <algorithm>

namespace escn {
namespace {

// The first voxel of `inputs` whose centre is not before `place`, a border between two of the crop's voxels:
// (i + 1/2) crop / inputs >= place.
int64_t first_from(int64_t place, int64_t crop, int64_t inputs) {
    const int64_t before = 2 * place * inputs - crop;  // 2 i crop >= before
    return before <= 0 ? 0 : (before + 2 * crop - 1) / (2 * crop);
}

}  // namespace

VoxelBox voxels_in_image(const SegmentationPlan& plan) {
    VoxelBox box;
    for (int axis = 0; axis < 3; ++axis) {
        const int64_t crop = plan.cropped_size[axis], inputs = plan.input_size[axis];
        const auto [before, after] = plan.paddings[axis];
        box.start[axis] = std::min(first_from(before, crop, inputs), inputs);
        box.stop[axis] = std::clamp(first_from(crop - after, crop, inputs), box.start[axis], inputs);
    }
    return box;
}

}  // namespace escn
