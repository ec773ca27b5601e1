// What the two stages assume about spacing, sizes and intensities. Defaults are the released code's
// (reference table); mm and HU.
#pragma once

#include "geometry/triple.h"

namespace escn {

// Network input = clip(HU / scale, min, max).
struct Intensity {
    double scale = 2048.0;
    double min = -1.0;
    double max = 1.0;
};

struct LocalizationParameters {
    double spacing_mm = 6.0;
    // Added to the ratio of wanted to largest size, so that a grown spacing is sure to fit.
    double spacing_slack = 0.02;
    ValidSizes valid_sizes = {{{32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256},
                               {32, 48, 64, 80},
                               {32, 48, 64, 80}}};
    double padding_hu = -1024.0;
    double smoothing_sigma_mm = 0.0;
    double box_margin_mm = 10.0;
    Intensity intensity;
};

struct SegmentationParameters {
    double spacing_mm = 2.0;
    // Above this spacing that a box needs, the spacing is what it needs + slack.
    double spacing_threshold = 1.9;
    double spacing_slack = 0.1;
    ValidSizes valid_sizes = {{{32, 64, 96, 128, 160}, {32, 64, 96, 128}, {32, 64, 96, 128, 160}}};
    double smoothing_sigma_mm = 1.0;
    double outside_hu = 0.0;
    Intensity intensity;
};

// Throw std::invalid_argument where a value makes no sense.
void check(const LocalizationParameters& parameters);
void check(const SegmentationParameters& parameters);

}  // namespace escn
