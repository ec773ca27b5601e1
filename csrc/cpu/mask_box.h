// The box around a network's mask.
#pragma once

#include <cstdint>
#include <optional>

#include "cpu/view.h"

namespace escn::cpu {

// Inclusive corners, in voxels.
struct VoxelBox {
    Index first;
    Index last;
};

// The smallest box around all nonzero voxels, or nothing if all are zero.
std::optional<VoxelBox> mask_box(const View<const uint8_t>& mask);

}  // namespace escn::cpu
