#include "cpu/network_input.h"

#include <algorithm>
#include <stdexcept>

#include "cpu/thread_pool.h"
#include "geometry/text.h"
#include "geometry/valid_size.h"

namespace escn::cpu {
namespace {

void check_size(const Size& found, const Size& planned) {
    if (found == planned) return;
    throw std::invalid_argument("The volume has the size " + to_text(found) + " but the plan was made for " +
                                to_text(planned) + " (z, y, x); plan again for this volume.");
}

IntensityMap intensity_map(const Intensity& intensity) {
    return {static_cast<float>(1.0 / intensity.scale), static_cast<float>(intensity.min),
            static_cast<float>(intensity.max)};
}

float sigma_in_voxels(double sigma_mm, float spacing_mm) { return static_cast<float>(sigma_mm) / spacing_mm; }

View<float> contiguous(float* data, const Size& size) {
    return {data, size, {size[1] * size[2], size[2], 1}};
}

}  // namespace

Sampling localization_sampling(const LocalizationPlan& plan, const LocalizationParameters& parameters) {
    const auto table = [&](int axis) {
        const auto size = static_cast<int32_t>(plan.image_size[axis]);
        return TapTable({size, 0, size, static_cast<int32_t>(plan.resized_size[axis]),
                         sigma_in_voxels(parameters.smoothing_sigma_mm, plan.image_spacing[axis])});
    };
    return {{table(0), table(1), table(2)}, 0.0f, intensity_map(parameters.intensity)};
}

Sampling segmentation_sampling(const Triple<double>& spacing, const SegmentationPlan& plan,
                               const SegmentationParameters& parameters) {
    const auto table = [&](int axis) {
        return TapTable(
            {static_cast<int32_t>(plan.image_size[axis]), static_cast<int32_t>(plan.crop_start[axis]),
             static_cast<int32_t>(plan.cropped_size[axis]), static_cast<int32_t>(plan.input_size[axis]),
             sigma_in_voxels(parameters.smoothing_sigma_mm, static_cast<float>(spacing[axis]))});
    };
    return {{table(0), table(1), table(2)},
            static_cast<float>(parameters.outside_hu),
            intensity_map(parameters.intensity)};
}

void localization_input(const ScanView& scan, const LocalizationPlan& plan,
                        const LocalizationParameters& parameters, int threads, float* output) {
    check_size(scan.size, plan.image_size);
    const Sampling sampling = localization_sampling(plan, parameters);
    View<float> view = contiguous(output, plan.input_size);
    const float padding = network_intensity(sampling.intensity, static_cast<float>(parameters.padding_hu));
    std::fill(output, output + plan.input_size[0] * view.stride[0], padding);
    view.size = plan.resized_size;
    for (int axis = 0; axis < 3; ++axis) view.data += plan.pad_before[axis] * view.stride[axis];
    sample(scan, sampling, view, thread_count(threads));
}

void segmentation_input(const ScanView& scan, const Triple<double>& spacing, const SegmentationPlan& plan,
                        const SegmentationParameters& parameters, int threads, float* output) {
    check_image(scan.size, spacing);
    check_size(scan.size, plan.image_size);
    sample(scan, segmentation_sampling(spacing, plan, parameters), contiguous(output, plan.input_size),
           thread_count(threads));
}

}  // namespace escn::cpu
