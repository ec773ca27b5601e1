// The C++ type of a scan's voxels, as a template argument.
#pragma once

#include <cstdint>

#include "cuda/kernels/work.h"

namespace escn::cuda {

// Calls visitor(Voxel{}) with the C++ type of the voxels.
template <typename Visitor>
void visit_voxels(VoxelType type, Visitor&& visitor) {
    switch (type) {
        case VoxelType::kUint8:
            return visitor(uint8_t{});
        case VoxelType::kInt16:
            return visitor(int16_t{});
        case VoxelType::kUint16:
            return visitor(uint16_t{});
        case VoxelType::kInt32:
            return visitor(int32_t{});
        case VoxelType::kFloat:
            return visitor(float{});
    }
}

inline std::size_t voxel_bytes(VoxelType type) {
    std::size_t bytes = 0;
    visit_voxels(type, [&](auto voxel) { bytes = sizeof voxel; });
    return bytes;
}

}  // namespace escn::cuda
