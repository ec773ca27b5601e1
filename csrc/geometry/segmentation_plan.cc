#include "geometry/segmentation_plan.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "geometry/text.h"
#include "geometry/valid_size.h"

namespace escn {
namespace {

// A limit in mm and in voxels: it is far outside any image, and float32 is exact for whole numbers below it.
constexpr float kLargest = 8388608.0f;

void check_box(const Box& box) {
    for (int axis = 0; axis < 3; ++axis) {
        const bool known = std::abs(box.start[axis]) < kLargest && std::abs(box.end[axis]) < kLargest;
        if (!known || box.end[axis] <= box.start[axis]) {
            throw std::invalid_argument(
                "A box must end after it starts on every axis (z, y, x, in mm), found start " +
                to_text(box.start) + " and end " + to_text(box.end) + ".");
        }
    }
}

// The quotients are float32 and the sum is float64, as in the released code.
float spacing_that_fits(const Box& box, const SegmentationParameters& parameters) {
    float needed = 0;
    for (int axis = 0; axis < 3; ++axis) {
        const auto largest = static_cast<float>(parameters.valid_sizes[axis].back());
        needed = std::max(needed, (box.end[axis] - box.start[axis]) / largest);
    }
    const bool fits = needed <= parameters.spacing_threshold;
    return static_cast<float>(fits ? parameters.spacing_mm : needed + parameters.spacing_slack);
}

}  // namespace

SegmentationPlan plan_segmentation(const Size& size, const Triple<double>& spacing, const Box& box,
                                   const SegmentationParameters& parameters) {
    check_image(size, spacing);
    check_box(box);
    check(parameters);
    SegmentationPlan plan;
    plan.image_size = size;
    plan.spacing.fill(spacing_that_fits(box, parameters));
    for (int axis = 0; axis < 3; ++axis) {
        const float new_spacing = plan.spacing[axis];
        const float extent = std::ceil(box.end[axis] - box.start[axis]) / new_spacing;
        plan.input_size[axis] = valid_size(static_cast<int64_t>(extent), parameters.valid_sizes[axis]);

        const float centre = (box.start[axis] + box.end[axis]) * 0.5f;
        const float half = std::floor(static_cast<float>(plan.input_size[axis]) * new_spacing / 2.0f);
        plan.box.start[axis] = centre - half;
        plan.box.end[axis] = centre + half;
    }
    for (int axis = 0; axis < 3; ++axis) {
        const auto image_spacing = static_cast<float>(spacing[axis]);
        const float from = std::floor(plan.box.start[axis] / image_spacing);
        const float to = std::ceil((plan.box.end[axis] + 1.0f) / image_spacing);
        if (!(std::abs(from) < kLargest && std::abs(to) < kLargest)) {
            throw std::invalid_argument("A box of " + to_text(plan.box.start) + " to " +
                                        to_text(plan.box.end) + " mm is too large for voxels of " +
                                        to_text(spacing) + " mm (z, y, x).");
        }
        const auto start = static_cast<int64_t>(from);
        const auto stop = static_cast<int64_t>(to);
        plan.crop_start[axis] = start;
        plan.crop_stop[axis] = stop;
        plan.cropped_size[axis] = stop - start;

        // For a box outside the image, this range is empty and the whole crop is padding.
        const int64_t first = std::clamp<int64_t>(start, 0, size[axis]);
        const int64_t last = std::clamp<int64_t>(stop, first, size[axis]);
        plan.croppings[axis] = {first, size[axis] - last};
        const int64_t before = std::min(first - start, stop - start - (last - first));
        plan.paddings[axis] = {std::max<int64_t>(before, 0), 0};
        plan.paddings[axis].after = plan.cropped_size[axis] - (last - first) - plan.paddings[axis].before;
    }
    return plan;
}

}  // namespace escn
