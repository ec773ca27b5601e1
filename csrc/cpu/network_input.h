// The inputs of both networks, from a scan read in place.
#pragma once

#include "cpu/sample.h"
#include "cpu/view.h"
#include "geometry/localization_plan.h"
#include "geometry/segmentation_plan.h"

namespace escn::cpu {

// The operators and intensities of a stage, for a scan of the plan's size. `spacing` is the scan's, in mm.
Sampling localization_sampling(const LocalizationPlan& plan, const LocalizationParameters& parameters);
Sampling segmentation_sampling(const Triple<double>& spacing, const SegmentationPlan& plan,
                               const SegmentationParameters& parameters);

// Writes plan.input_size float32 voxels, (z, y, x), to `output`. Throws std::invalid_argument if the scan's
// size is not the plan's. `threads`: 0 for all cores.
void localization_input(const ScanView& scan, const LocalizationPlan& plan,
                        const LocalizationParameters& parameters, int threads, float* output);

// As `localization_input`; `spacing` is the scan's, in mm.
void segmentation_input(const ScanView& scan, const Triple<double>& spacing, const SegmentationPlan& plan,
                        const SegmentationParameters& parameters, int threads, float* output);

}  // namespace escn::cpu
