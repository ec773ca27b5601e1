// How a volume is cut into slabs of slices that pass through the device one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace escn::cuda {

// PCIe is near its full rate from about a megabyte on; small slabs keep the first copy from waiting on a long
// gather.
inline constexpr std::size_t kSlabBytes = std::size_t{4} << 20;

struct Slab {
    int64_t first;  // slice
    int64_t count;
};

// Slices of a slab: as many as `slab_bytes` hold, at least one.
int64_t slab_slices(int64_t slices, std::size_t slice_bytes, std::size_t slab_bytes = kSlabBytes);

// Covers the slices [0, slices) in ascending order; the last slab may be smaller than `per_slab`.
std::vector<Slab> plan_slabs(int64_t slices, int64_t per_slab);

}  // namespace escn::cuda
