// A region of the image, mm from the first voxel's outer corner, (z, y, x).
#pragma once

#include "geometry/triple.h"

namespace escn {

struct Box {
    Triple<float> start;
    Triple<float> end;
};

}  // namespace escn
