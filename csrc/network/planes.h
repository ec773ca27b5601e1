// A tensor as the kernels read it: bordered planes (network/kernels.h), all of them or the last few.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "geometry/triple.h"

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

class Planes {
  public:
    // Room for `pairs` pairs of planes: pair p overwrites pair p - `pairs`.
    Planes(const Size& size, int64_t channels, int64_t pairs);
    // Room for all planes.
    Planes(const Size& size, int64_t channels) : Planes(size, channels, pairs_of(size)) {}

    static int64_t pairs_of(const Size& size) { return (size[0] + 1) / 2; }
    // How many floats such planes take.
    static int64_t floats(const Size& size, int64_t channels, int64_t pairs);

    const Size& size() const { return size_; }
    int64_t row() const { return row_; }

    float* at(int64_t z) const { return buffer_.data() + (1 + z / 2 % pairs_ * 2 + z % 2) * plane_; }

    // For reading: a plane of zeros outside the tensor.
    const float* around(int64_t z) const { return z < 0 || z >= size_[0] ? buffer_.data() : at(z); }

  private:
    Size size_;
    int64_t pairs_;
    int64_t row_;
    int64_t plane_;
    Buffer buffer_;  // a plane of zeros, then the pairs
};

}  // namespace escn::network
