// Stage 1: how an image becomes the localization network's input, and how the network's mask becomes a box.
#pragma once

#include "geometry/box.h"
#include "geometry/parameters.h"

namespace escn {

struct LocalizationPlan {
    Size image_size;
    Triple<float> image_spacing;  // mm
    Triple<float> spacing;        // of the network's input, mm
    Size resized_size;            // of the whole image at that spacing
    Size input_size;              // with padding
    Size pad_before;
    Size pad_after;
};

// Throws std::invalid_argument for an invalid image size, spacing or parameter.
LocalizationPlan plan_localization(const Size& size, const Triple<double>& spacing,
                                   const LocalizationParameters& parameters);

// `first` and `last` are the inclusive corners of the mask, in voxels of the network's input.
Box box_from_mask(const Index& first, const Index& last, const LocalizationPlan& plan,
                  const LocalizationParameters& parameters);

// The box for an empty mask: the whole padded input, plus the margin.
Box whole_volume_box(const LocalizationPlan& plan, const LocalizationParameters& parameters);

}  // namespace escn
