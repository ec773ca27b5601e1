// Where a network's mask lies.
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

// The smallest box of all voxels that are not zero; none where all are.
std::optional<VoxelBox> mask_box(const View<const uint8_t>& mask);

}  // namespace escn::cpu
