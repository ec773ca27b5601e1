// Splits a volume into slabs of slices, which pass through the device one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace escn::cuda {

// PCIe is near its full rate for copies of about a megabyte or more. Small slabs keep the wait for the first
// gather short.
inline constexpr std::size_t kSlabBytes = std::size_t{4} << 20;

struct Slab {
    int64_t first;  // its first slice
    int64_t count;  // slices
};

// Slices per slab: as many as `slab_bytes` hold, but at least 1 and at most 4096.
int64_t slab_slices(int64_t slices, std::size_t slice_bytes, std::size_t slab_bytes = kSlabBytes);

// Covers the slices [0, slices) in ascending order; the last slab may be smaller than `per_slab`.
std::vector<Slab> plan_slabs(int64_t slices, int64_t per_slab);

}  // namespace escn::cuda
