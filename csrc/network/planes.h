// A tensor as the kernels read it: bordered planes (network/kernels.h), all of them or the last few.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "geometry/triple.h"
#include "network/kernels.h"

namespace escn::network {

// Zeroed memory, aligned to vectors, or to large pages if it fills at least one. Pages that are never written
// take no memory.
class Buffer {
  public:
    explicit Buffer(int64_t floats);  // throws std::bad_alloc

    float* data() const { return data_; }

  private:
    struct Free {
        void operator()(void* memory) const;
    };
    std::unique_ptr<void, Free> memory_;
    float* data_;
};

// In memory that other tensors may use while this one is idle.
class Planes {
  public:
    // Room for `slabs` slabs: slab s overwrites slab s - `slabs`. `memory` has as many floats as `floats`
    // says.
    Planes(const Size& size, int64_t channels, int64_t slabs, float* memory);
    // Room for all planes.
    Planes(const Size& size, int64_t channels, float* memory)
        : Planes(size, channels, slabs_of(size), memory) {}

    static int64_t slabs_of(const Size& size) { return (size[0] + kTile - 1) / kTile; }
    // How many floats such planes take.
    static int64_t floats(const Size& size, int64_t channels, int64_t slabs);
    static int64_t floats(const Size& size, int64_t channels) {
        return floats(size, channels, slabs_of(size));
    }

    // Writes the zeros around the planes, where another tensor used the memory.
    void clear_border() const;

    const Size& size() const { return size_; }
    int64_t row() const { return row_; }

    float* at(int64_t z) const { return memory_ + (1 + z / kTile % slabs_ * kTile + z % kTile) * plane_; }

    // For reading: a plane of zeros outside the tensor.
    const float* around(int64_t z) const { return z < 0 || z >= size_[0] ? memory_ : at(z); }

  private:
    Size size_;
    int64_t slabs_;
    int64_t channels_;
    int64_t row_;
    int64_t plane_;
    float* memory_;  // a plane of zeros, then the slabs
};

}  // namespace escn::network
