// From HU to what the networks see.
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

// Adds the HU of what lies outside the image, given the share of an output voxel inside it on each axis.
ESCN_HD float add_outside(float hu, float outside_hu, float inside_zy, float inside_x) {
    return hu + outside_hu * (1.0f - inside_zy * inside_x);
}

}  // namespace escn
