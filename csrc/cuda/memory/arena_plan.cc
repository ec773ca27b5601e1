#include "cuda/memory/arena_plan.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace escn::cuda {
namespace {

// More than any device has, so that sums of sizes do not overflow.
constexpr std::size_t kMostBytes = std::size_t{1} << 48;

std::size_t aligned(std::size_t bytes) {
    return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

bool live_together(const ArenaBuffer& a, const ArenaBuffer& b) {
    return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

}  // namespace

ArenaPlan plan_arena(const std::vector<ArenaBuffer>& buffers) {
    for (const ArenaBuffer& buffer : buffers) {
        if (buffer.bytes > kMostBytes) {
            throw std::invalid_argument("arena buffer " + buffer.name + " has " +
                                        std::to_string(buffer.bytes) + " bytes, more than any GPU");
        }
        if (buffer.first_step > buffer.last_step) {
            throw std::invalid_argument("arena buffer " + buffer.name + " ends before it begins");
        }
    }
    std::vector<std::size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return buffers[a].bytes > buffers[b].bytes; });

    ArenaPlan plan;
    plan.offsets.assign(buffers.size(), 0);
    std::vector<std::size_t> placed;  // kept sorted by offset
    for (std::size_t index : order) {
        std::size_t offset = 0;
        for (std::size_t other : placed) {
            if (!live_together(buffers[index], buffers[other])) continue;
            if (offset + aligned(buffers[index].bytes) <= plan.offsets[other]) break;
            offset = std::max(offset, plan.offsets[other] + aligned(buffers[other].bytes));
        }
        plan.offsets[index] = offset;
        plan.bytes = std::max(plan.bytes, offset + aligned(buffers[index].bytes));
        const auto at = std::upper_bound(
            placed.begin(), placed.end(), offset,
            [&](std::size_t value, std::size_t other) { return value < plan.offsets[other]; });
        placed.insert(at, index);
    }
    return plan;
}

}  // namespace escn::cuda
