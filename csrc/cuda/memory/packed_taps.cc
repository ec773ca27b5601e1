#include "cuda/memory/packed_taps.h"

#include <algorithm>
#include <cstring>

#include "cuda/memory/column_tiles.h"

namespace escn::cuda {

PackedTaps::PackedTaps(const Triple<cpu::TapTable>& taps) {
    for (int axis = 0; axis < 3; ++axis) {
        const cpu::TapTable& table = taps[axis];
        axes_[axis] = {append(table.first), append(table.count), append(table.inside), append(table.weights),
                       table.stride};
    }
    const std::vector<ColumnTile> tiles = plan_column_tiles(taps[2]);
    tiles_ = append(tiles);
    tile_count_ = static_cast<int32_t>(tiles.size());
    for (const ColumnTile& tile : tiles) widest_tile_ = std::max(widest_tile_, tile.in_count);
}

template <typename T>
std::size_t PackedTaps::append(const std::vector<T>& values) {
    const std::size_t offset = block_.size();  // aligned: all elements are multiples of 4 bytes
    static_assert(sizeof(T) % 4 == 0 && alignof(T) == 4);
    block_.resize(offset + values.size() * sizeof(T));
    std::memcpy(block_.data() + offset, values.data(), values.size() * sizeof(T));
    return offset;
}

TapPointers PackedTaps::at(const void* address) const {
    const auto* base = static_cast<const std::byte*>(address);
    TapPointers pointers;
    for (int axis = 0; axis < 3; ++axis) {
        const Offsets& offsets = axes_[axis];
        pointers.rows[axis] = {reinterpret_cast<const int32_t*>(base + offsets.first),
                               reinterpret_cast<const int32_t*>(base + offsets.count),
                               reinterpret_cast<const float*>(base + offsets.inside),
                               reinterpret_cast<const float*>(base + offsets.weights), offsets.stride};
    }
    pointers.tiles = reinterpret_cast<const ColumnTile*>(base + tiles_);
    return pointers;
}

}  // namespace escn::cuda
