#include "cpu/linear_axis.h"

#include <algorithm>

namespace escn::cpu {

LinearAxis::LinearAxis(const SegmentationPlan& plan, int axis)
    : image_size(plan.image_size[axis]),
      begin(plan.croppings[axis].before),
      end(plan.image_size[axis] - plan.croppings[axis].after),
      offset(plan.paddings[axis].before - begin),
      source_size(static_cast<int32_t>(plan.input_size[axis])),
      cropped_size(static_cast<int32_t>(plan.cropped_size[axis])) {}

LinearIntervals::LinearIntervals(const LinearAxis& axis)
    : count(axis.source_size + 1), starts(count + 1, axis.end) {
    // `right` is 0 only before the first source, where both neighbours are source 0.
    const auto interval_of = [](const LinearTap& tap) { return tap.right == 0 ? 0 : tap.left + 1; };
    int64_t interval = 0;
    for (int64_t x = axis.begin; x < axis.end; ++x) {
        for (; interval <= interval_of(axis.tap(x)); ++interval) starts[interval] = x;
    }
    for (int64_t i = 0; i < count; ++i) depth = std::max(depth, starts[i + 1] - starts[i]);
    left_weights.resize(depth * count);
    right_weights.resize(depth * count);
    for (int64_t i = 0; i < count; ++i) {
        for (int64_t x = starts[i]; x < starts[i + 1]; ++x) {
            const LinearTap tap = axis.tap(x);
            const int64_t k = x - starts[i];
            left_weights[k * count + i] = tap.left_weight;
            right_weights[k * count + i] = tap.right_weight;
        }
    }
}

}  // namespace escn::cpu
