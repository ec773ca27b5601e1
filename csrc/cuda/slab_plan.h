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

// Covers the slices [first, last) in ascending order with slabs of equal count (the last may be smaller),
// each of at most `slab_bytes` or a single slice.
std::vector<Slab> plan_slabs(int64_t first, int64_t last, std::size_t slice_bytes,
                             std::size_t slab_bytes = kSlabBytes);

}  // namespace escn::cuda
