// Spacings, sizes and intensities of the two stages, in mm and HU. The values come from a bundle's manifest
// and have no defaults here.
#pragma once

#include "geometry/triple.h"

namespace escn {

// Network input = clip(HU / scale, min, max).
struct Intensity {
    double scale;
    double min;
    double max;
};

struct LocalizationParameters {
    double spacing_mm;
    // If wanted size / largest size plus this slack exceeds 1, the spacing is multiplied by it, so that the
    // image fits.
    double spacing_slack;
    ValidSizes valid_sizes;
    double padding_hu;
    double smoothing_sigma_mm;
    double box_margin_mm;
    Intensity intensity;
};

struct SegmentationParameters {
    double spacing_mm;
    // Where a box needs a spacing above this threshold, it gets the needed spacing plus the slack.
    double spacing_threshold;
    double spacing_slack;
    ValidSizes valid_sizes;
    double smoothing_sigma_mm;
    double outside_hu;
    Intensity intensity;
};

// Both throw std::invalid_argument for an invalid value.
void check(const LocalizationParameters& parameters);
void check(const SegmentationParameters& parameters);

}  // namespace escn
