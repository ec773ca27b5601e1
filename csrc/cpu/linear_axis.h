// Where the voxels of an image lie between those of a network's output, along one axis.
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/segmentation_plan.h"
#include "resample/linear.h"

namespace escn::cpu {

struct LinearAxis {
    LinearAxis(const SegmentationPlan& plan, int axis);

    bool holds(int64_t index) const { return index >= begin && index < end; }

    // The sources of image voxel `index`.
    LinearTap tap(int64_t index) const {
        return linear_tap(static_cast<int32_t>(index + offset), source_size, cropped_size);
    }

    int64_t image_size;
    int64_t begin;  // image voxels [begin, end) lie in the crop
    int64_t end;
    int64_t offset;  // from an image voxel to one of the padded crop
    int32_t source_size;
    int32_t cropped_size;
};

// The image voxels along an axis sorted by the pair of sources that they lie between. Sources are counted
// with the edge voxel repeated at both ends: of n + 2 sources, interval i lies between i and i + 1.
struct LinearIntervals {
    explicit LinearIntervals(const LinearAxis& axis);

    int64_t count;                // n + 1
    std::vector<int64_t> starts;  // interval i holds image voxels [starts[i], starts[i + 1])
    int64_t depth = 0;            // the most voxels in an interval

    // Weights of voxel k of interval i at [k * count + i]; zero where there is none.
    std::vector<float> left_weights;
    std::vector<float> right_weights;
};

}  // namespace escn::cpu
