// What the two stages assume about spacing, sizes and intensities; mm and HU. The values come from a bundle's
// manifest and have no defaults here.
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
    // Added to the ratio of wanted to largest size, so that a grown spacing is sure to fit.
    double spacing_slack;
    ValidSizes valid_sizes;
    double padding_hu;
    double smoothing_sigma_mm;
    double box_margin_mm;
    Intensity intensity;
};

struct SegmentationParameters {
    double spacing_mm;
    // Above this spacing that a box needs, the spacing is what it needs + slack.
    double spacing_threshold;
    double spacing_slack;
    ValidSizes valid_sizes;
    double smoothing_sigma_mm;
    double outside_hu;
    Intensity intensity;
};

// Throw std::invalid_argument where a value makes no sense.
void check(const LocalizationParameters& parameters);
void check(const SegmentationParameters& parameters);

}  // namespace escn
