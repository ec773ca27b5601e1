// Stage 2: which part of an image becomes the segmentation network's input, and at what spacing.
#pragma once

#include "geometry/box.h"
#include "geometry/parameters.h"

namespace escn {

struct SegmentationPlan {
    Size image_size;
    Triple<float> spacing;  // of the network's input, mm
    Size input_size;
    Box box;                   // grown about its centre to the input's size
    Index crop_start;          // the box in image voxels, before it is cut at the image's edges
    Index crop_stop;           // exclusive
    Size cropped_size;         // crop_stop - crop_start
    Triple<Margin> croppings;  // voxels of the image outside the crop
    Triple<Margin> paddings;   // voxels of the crop outside the image
};

// Throws std::invalid_argument for an invalid image size, spacing, box or parameter.
SegmentationPlan plan_segmentation(const Size& size, const Triple<double>& spacing, const Box& box,
                                   const SegmentationParameters& parameters);

}  // namespace escn
