#include "cuda/memory/slab_plan.h"

#include <algorithm>

namespace escn::cuda {
namespace {

constexpr int64_t kMostSlices = 4096;  // below the 65535 blocks along z of a launch, one block per slice

}  // namespace

int64_t slab_slices(int64_t slices, std::size_t slice_bytes, std::size_t slab_bytes) {
    const std::size_t fitting = slab_bytes / std::max<std::size_t>(slice_bytes, 1);
    const auto most = static_cast<int64_t>(std::min<std::size_t>(fitting, kMostSlices));
    return std::max<int64_t>(std::min(most, slices), 1);
}

std::vector<Slab> plan_slabs(int64_t slices, int64_t per_slab) {
    std::vector<Slab> slabs;
    for (int64_t first = 0; first < slices; first += per_slab) {
        slabs.push_back({first, std::min(per_slab, slices - first)});
    }
    return slabs;
}

}  // namespace escn::cuda
