// Smoothing, crop, padding and area resize along one axis, as one banded operator on the image: each output
// voxel is a weighted sum of a few neighbouring image voxels.
#pragma once

#include <stdint.h>

#include "resample/area.h"
#include "resample/gaussian.h"
#include "resample/host_device.h"

namespace escn {

struct TapAxis {
    int32_t image_size;
    int32_t crop_start;  // in image voxels; negative where the crop begins before the image
    int32_t crop_size;   // may reach past the image
    int32_t output_size;
    float sigma;  // Gaussian, in image voxels; 0 for none
};

// The operator's rows as flat arrays. Output voxel o is the sum over k < count[o] of
// weights[o * stride + k] * image[first[o] + k]; `inside[o]` is the share of its extent that is in the
// image.
struct TapRows {
    const int32_t* first;
    const int32_t* count;
    const float* inside;
    const float* weights;
    int32_t stride;
};

struct TapRange {
    int32_t first;
    int32_t count;  // 0 where the output voxel lies outside the image
};

// Image voxels [first, stop) under output voxel `o`, before smoothing; empty outside the image.
ESCN_HD AreaSpan covered_voxels(const TapAxis& axis, int32_t o) {
    AreaSpan span = area_span({axis.crop_size, axis.output_size}, o);
    // A span may end one past the crop. The voxel there counts as the crop's last voxel.
    if (span.stop > axis.crop_size) span.stop = axis.crop_size;
    span.first += axis.crop_start;
    span.stop += axis.crop_start;
    if (span.first < 0) span.first = 0;
    if (span.stop > axis.image_size) span.stop = axis.image_size;
    if (span.stop < span.first) span.stop = span.first;
    return span;
}

ESCN_HD TapRange tap_range(const TapAxis& axis, int32_t o) {
    const AreaSpan covered = covered_voxels(axis, o);
    if (covered.first == covered.stop) return {0, 0};
    const int32_t radius = gaussian_radius(axis.sigma);
    const int32_t first = covered.first - radius < 0 ? 0 : covered.first - radius;
    const int32_t stop = covered.stop + radius > axis.image_size ? axis.image_size : covered.stop + radius;
    return {first, stop - first};
}

// An upper bound of every row's count, which is the row length of a table.
ESCN_HD int32_t largest_tap_count(const TapAxis& axis) {
    const AreaAxis area = {axis.crop_size, axis.output_size};
    const int32_t bound = static_cast<int32_t>(ceilf(area_scale(area))) + 2 + 2 * gaussian_radius(axis.sigma);
    return bound < axis.image_size ? bound : axis.image_size;
}

// Weight of crop voxel `i` in output voxel `o`. The voxel past the crop counts as the crop's last voxel.
ESCN_HD float crop_weight(const TapAxis& axis, int32_t o, int32_t i) {
    const AreaAxis area = {axis.crop_size, axis.output_size};
    float weight = area_weight(area, o, i);
    if (i == axis.crop_size - 1 && area_span(area, o).stop > axis.crop_size) {
        weight += area_weight(area, o, axis.crop_size);
    }
    return weight;
}

// Writes the range.count weights of row `o`, using the taps from gaussian_taps. Returns the share of the
// output voxel that is in the image.
ESCN_HD float fill_tap_row(const TapAxis& axis, int32_t o, TapRange range, const float* gaussian,
                           float* weights) {
    const int32_t radius = gaussian_radius(axis.sigma);
    const AreaSpan covered = covered_voxels(axis, o);
    for (int32_t k = 0; k < range.count; ++k) weights[k] = 0.0f;
    float in_image = 0.0f;
    for (int32_t voxel = covered.first; voxel < covered.stop; ++voxel) {
        const float area = crop_weight(axis, o, voxel - axis.crop_start);
        in_image += area;
        for (int32_t k = -radius; k <= radius; ++k) {
            weights[mirrored(voxel + k, axis.image_size) - range.first] += area * gaussian[k + radius];
        }
    }
    float all = in_image;
    const AreaSpan whole = area_span({axis.crop_size, axis.output_size}, o);
    for (int32_t i = whole.first; i < whole.stop && i < axis.crop_size; ++i) {
        const int32_t voxel = i + axis.crop_start;
        if (voxel < 0 || voxel >= axis.image_size) all += crop_weight(axis, o, i);
    }
    return all > 0.0f ? in_image / all : 0.0f;
}

// One term of a row's sum.
ESCN_HD float add_tap(float sum, float weight, float voxel) { return sum + weight * voxel; }

}  // namespace escn
