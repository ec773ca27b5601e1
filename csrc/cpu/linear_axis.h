// Positions of image voxels between the voxels of a network's output, along one axis.
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/segmentation_plan.h"
#include "resample/linear.h"

namespace escn::cpu {

struct LinearAxis {
    LinearAxis(const SegmentationPlan& plan, int axis);

    bool holds(int64_t index) const { return index >= begin && index < end; }

    // The sources of image voxel `index` and their weights. A source is a voxel of the network's output.
    LinearTap tap(int64_t index) const {
        return linear_tap(static_cast<int32_t>(index + offset), source_size, cropped_size);
    }

    int64_t image_size;
    int64_t begin;  // image voxels [begin, end) are in the crop
    int64_t end;
    int64_t offset;  // of an image voxel in the padded crop, relative to its index in the image
    int32_t source_size;
    int32_t cropped_size;
};

// The image voxels along an axis, grouped by the pair of sources between which they lie. The edge sources are
// repeated, so n sources get the numbers 0 to n + 1. Interval i lies between the numbers i and i + 1.
struct LinearIntervals {
    explicit LinearIntervals(const LinearAxis& axis);

    int64_t count;                // n + 1
    std::vector<int64_t> starts;  // interval i holds image voxels [starts[i], starts[i + 1])
    int64_t depth = 0;            // the largest number of voxels in an interval

    // The weights of voxel k of interval i are at [k * count + i]; zero where there is no such voxel.
    std::vector<float> left_weights;
    std::vector<float> right_weights;
};

}  // namespace escn::cpu
