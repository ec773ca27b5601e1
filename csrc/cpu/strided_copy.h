// Copies between arrays of any strides, on the host: a scan into a staging buffer, labels out of one.
#pragma once

#include <cstddef>

#include "cpu/thread_pool.h"
#include "geometry/triple.h"

namespace escn::cpu {

// Strides are in elements and may be negative.
struct ConstStrided {
    const void* data;
    Index stride;
};
struct Strided {
    void* data;
    Index stride;
};

// to[z, y, x] = from[z, y, x] for elements of 1, 2 or 4 bytes. Copies in memory order as far
// as the orders of the two arrays agree.
void strided_copy(const ConstStrided& from, const Strided& to, const Size& size, std::size_t element_bytes,
                  ThreadPool& pool);

// to[z, y, x] = 0 for bytes.
void strided_zero(const Strided& to, const Size& size, ThreadPool& pool);

}  // namespace escn::cpu
