#include "geometry/localization_plan.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "geometry/text.h"
#include "geometry/valid_size.h"

namespace escn {
namespace {

// In float64: the released code computes only this step in float64.
double spacing_that_fits(const Size& size, const Triple<double>& spacing,
                         const LocalizationParameters& parameters) {
    double ratio = 0;
    for (int axis = 0; axis < 3; ++axis) {
        const double wanted = std::ceil(size[axis] * spacing[axis] / parameters.spacing_mm);
        ratio = std::max(ratio, wanted / parameters.valid_sizes[axis].back());
    }
    ratio += parameters.spacing_slack;
    return ratio > 1 ? parameters.spacing_mm * ratio : parameters.spacing_mm;
}

}  // namespace

LocalizationPlan plan_localization(const Size& size, const Triple<double>& spacing,
                                   const LocalizationParameters& parameters) {
    check_image(size, spacing);
    check(parameters);
    LocalizationPlan plan;
    plan.image_size = size;
    plan.spacing.fill(static_cast<float>(spacing_that_fits(size, spacing, parameters)));
    for (int axis = 0; axis < 3; ++axis) {
        // In float32, as in the released code: where the quotient is close to a whole number, the precision
        // decides the result of std::ceil.
        plan.image_spacing[axis] = static_cast<float>(spacing[axis]);
        const float extent = static_cast<float>(size[axis]) * plan.image_spacing[axis];
        const float wanted = std::ceil(extent / plan.spacing[axis]);
        const auto largest = static_cast<float>(parameters.valid_sizes[axis].back());
        if (!(wanted >= 1 && wanted <= largest)) {
            throw std::invalid_argument("An image of size " + to_text(size) + " and spacing " +
                                        to_text(spacing) +
                                        " mm (z, y, x) cannot be resized for the localization network.");
        }
        const auto resized = static_cast<int64_t>(wanted);
        const int64_t padding = valid_size(resized, parameters.valid_sizes[axis]) - resized;
        plan.resized_size[axis] = resized;
        plan.input_size[axis] = resized + padding;
        plan.pad_before[axis] = padding / 2;
        plan.pad_after[axis] = padding - padding / 2;
    }
    return plan;
}

Box box_from_mask(const Index& first, const Index& last, const LocalizationPlan& plan,
                  const LocalizationParameters& parameters) {
    const auto margin = static_cast<float>(parameters.box_margin_mm);
    Box box;
    for (int axis = 0; axis < 3; ++axis) {
        if (first[axis] < 0 || last[axis] < first[axis] || last[axis] >= plan.input_size[axis]) {
            throw std::invalid_argument(
                "The mask's corners must satisfy 0 <= first <= last < input size, found " + to_text(first) +
                " and " + to_text(last) + " for " + to_text(plan.input_size) + ".");
        }
        const auto start = static_cast<float>(first[axis] - plan.pad_before[axis]);
        const auto end = static_cast<float>(last[axis] - plan.pad_before[axis] + 1);
        box.start[axis] = plan.spacing[axis] * start - margin;
        box.end[axis] = plan.spacing[axis] * end + margin;
    }
    return box;
}

Box whole_volume_box(const LocalizationPlan& plan, const LocalizationParameters& parameters) {
    Index last = plan.input_size;
    for (int64_t& index : last) --index;
    return box_from_mask({0, 0, 0}, last, plan, parameters);
}

}  // namespace escn
