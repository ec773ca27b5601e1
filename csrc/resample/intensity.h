// From HU to the networks' input values.
#pragma once

#include "resample/host_device.h"

namespace escn {

// Network input = clip(HU * factor, min, max).
struct IntensityMap {
    float factor;
    float min;
    float max;
};

ESCN_HD float network_intensity(IntensityMap map, float hu) {
    float value = hu * map.factor;
    value = value < map.min ? map.min : value;
    return value > map.max ? map.max : value;
}

// Adds `outside_hu` for the part of an output voxel outside the image, given the share inside on each axis.
ESCN_HD float add_outside(float hu, float outside_hu, float inside_zy, float inside_x) {
    return hu + outside_hu * (1.0f - inside_zy * inside_x);
}

}  // namespace escn
