// Area resize: each output voxel is the mean of the input over its extent (docs/reference-pipeline.md).
#pragma once

#include <math.h>
#include <stdint.h>

#include "resample/host_device.h"

namespace escn {

// One axis of an area resize. Edges are float32 products, because these agree best with the reference.
struct AreaAxis {
    int32_t in;
    int32_t out;
};

// Input voxels [first, stop) that one output voxel covers; the last may be one past the end of the input.
struct AreaSpan {
    int32_t first;
    int32_t stop;
};

ESCN_HD float area_scale(AreaAxis axis) { return static_cast<float>(axis.in) / static_cast<float>(axis.out); }

ESCN_HD AreaSpan area_span(AreaAxis axis, int32_t o) {
    const float scale = area_scale(axis);
    return {static_cast<int32_t>(floorf(static_cast<float>(o) * scale)),
            static_cast<int32_t>(ceilf(static_cast<float>(o + 1) * scale))};
}

// Share of output voxel `o` that input voxel `i` of its span contributes.
ESCN_HD float area_weight(AreaAxis axis, int32_t o, int32_t i) {
    const float scale = area_scale(axis);
    const float start = static_cast<float>(o) * scale;
    const float end = static_cast<float>(o + 1) * scale;
    const auto left = static_cast<float>(i);
    const float right = left + 1.0f;
    float overlap = 1.0f;
    if (left < start) {
        overlap = right > end ? scale : right - start;
    } else if (right > end) {
        overlap = end - left;
    }
    return overlap / scale;
}

}  // namespace escn
