#include "cuda/slab_plan.h"

#include <algorithm>
#include <stdexcept>

namespace escn::cuda {

std::vector<Slab> plan_slabs(int64_t first, int64_t last, std::size_t slice_bytes, std::size_t slab_bytes) {
    if (slice_bytes == 0 || first > last)
        throw std::invalid_argument("slabs need slices with bytes, in order");
    const auto fitting = static_cast<int64_t>(slab_bytes / slice_bytes);
    const int64_t count = std::clamp<int64_t>(fitting, 1, std::max<int64_t>(last - first, 1));
    std::vector<Slab> slabs;
    for (int64_t slice = first; slice < last; slice += count) {
        slabs.push_back({slice, std::min(count, last - slice)});
    }
    return slabs;
}

}  // namespace escn::cuda
