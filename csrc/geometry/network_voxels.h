// The voxels of the segmentation network's input that lie in the image.
#pragma once

#include "geometry/segmentation_plan.h"

namespace escn {

struct VoxelBox {
    Index start;
    Index stop;  // exclusive; not less than start
};

// Those whose centres lie in the image, not in the padding of the crop.
VoxelBox voxels_in_image(const SegmentationPlan& plan);

}  // namespace escn
