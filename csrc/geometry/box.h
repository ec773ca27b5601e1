// A region of interest, in mm from the outer corner of the first voxel, (z, y, x).
#pragma once

#include "geometry/triple.h"

namespace escn {

struct Box {
    Triple<float> start;
    Triple<float> end;
};

}  // namespace escn
