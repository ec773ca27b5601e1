// Inputs of the core's entry points: small, and the same in every run.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/view.h"
#include "geometry/localization_plan.h"
#include "geometry/segmentation_plan.h"
#include "network/unet.h"

namespace escn::sanitize {

inline constexpr Size kScanSize = {21, 50, 43};
inline constexpr Triple<double> kSpacing = {5.0, 3.1, 2.7};

// Voxels of any type and memory order.
struct Scan {
    std::vector<std::byte> memory;
    cpu::ScanView view;
};

LocalizationParameters localization_parameters();
SegmentationParameters segmentation_parameters();
SegmentationPlan segmentation_plan();

// Scans of every voxel type, each in another memory order.
std::vector<Scan> scans();

// `count` values between -4 and 4.
std::vector<float> values(int64_t count);

network::UNetWeights unet_weights(int levels, int64_t filters, int64_t inputs, int64_t outputs);

// The strides, in elements, of an array whose memory order is `axes`, the slowest first.
Triple<int64_t> strides(const Size& size, const Triple<int>& axes);

}  // namespace escn::sanitize
