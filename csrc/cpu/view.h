// The caller's arrays, read and written in place. Strides are in elements and may be negative.
#pragma once

#include <cstdint>

#include "geometry/triple.h"

namespace escn::cpu {

enum class VoxelType { kUint8, kInt16, kUint16, kInt32, kFloat };

template <typename T>
struct View {
    T* data;
    Size size;
    Triple<int64_t> stride;
};

struct ScanView {
    const void* data;
    VoxelType type;
    Size size;
    Triple<int64_t> stride;
};

template <typename T>
View<const T> view_as(const ScanView& scan) {
    return {static_cast<const T*>(scan.data), scan.size, scan.stride};
}

// Calls `visitor` with the scan as a View of its voxel type.
template <typename Visitor>
void visit(const ScanView& scan, Visitor&& visitor) {
    switch (scan.type) {
        case VoxelType::kUint8:
            return visitor(view_as<uint8_t>(scan));
        case VoxelType::kInt16:
            return visitor(view_as<int16_t>(scan));
        case VoxelType::kUint16:
            return visitor(view_as<uint16_t>(scan));
        case VoxelType::kInt32:
            return visitor(view_as<int32_t>(scan));
        case VoxelType::kFloat:
            return visitor(view_as<float>(scan));
    }
}

}  // namespace escn::cpu
