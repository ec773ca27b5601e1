// The operators of a stage in one block of memory, so that a single copy takes them to the device.
#pragma once

#include <cstddef>
#include <vector>

#include "cpu/tap_table.h"
#include "cuda/kernels/work.h"

namespace escn::cuda {

// Pointers to the operators, for a given address of the block.
struct TapPointers {
    Triple<TapRows> rows;
    const ColumnTile* tiles;
};

class PackedTaps {
  public:
    explicit PackedTaps(const Triple<cpu::TapTable>& taps);

    const std::vector<std::byte>& block() const { return block_; }
    TapPointers at(const void* address) const;
    int32_t tile_count() const { return tile_count_; }
    int32_t widest_tile() const { return widest_tile_; }

  private:
    template <typename T>
    std::size_t append(const std::vector<T>& values);

    struct Offsets {
        std::size_t first, count, inside, weights;
        int32_t stride;
    };

    std::vector<std::byte> block_;
    Triple<Offsets> axes_{};
    std::size_t tiles_ = 0;
    int32_t tile_count_ = 0;
    int32_t widest_tile_ = 0;
};

}  // namespace escn::cuda
