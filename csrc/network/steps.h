// Runs two layers over the pairs of planes of one level; the second follows the first at a
// few pairs' distance.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "cpu/thread_pool.h"
#include "network/kernels.h"

namespace escn::network {

// A layer's work on a pair of planes, in independent tasks.
struct Stage {
    int64_t tasks;
    std::function<void(int64_t pair, int64_t task, const Scratch&)> work;
};

// The pairs of planes of a level. A step processes `at_once` pairs, then waits for all threads.
struct Steps {
    int64_t pairs;
    int64_t at_once;

    // The number of the first layer's pairs that are kept. The second layer reads one more pair on either
    // side of its step, while the first layer writes the step after the next.
    int64_t kept() const { return std::min(pairs, 3 * at_once + 1); }
};

// The second layer follows the first at a distance of two steps. `scratch` has one element per thread
// of the pool.
inline void run_pipelined(cpu::ThreadPool& pool, const std::vector<Scratch>& scratch, const Steps& steps,
                          const Stage& first, const Stage& second) {
    const int64_t count = (steps.pairs + steps.at_once - 1) / steps.at_once;
    const auto pairs_of = [&](int64_t step) {
        return step < 0 || step >= count ? 0 : std::min(steps.at_once, steps.pairs - step * steps.at_once);
    };
    for (int64_t step = -2; step < count; ++step) {
        const int64_t first_tasks = pairs_of(step + 2) * first.tasks;
        const int64_t all = first_tasks + pairs_of(step) * second.tasks;
        if (all == 0) continue;
        pool.run(all, [&](cpu::Tasks& tasks) {
            for (int64_t task = 0; tasks.take(task);) {
                const bool of_first = task < first_tasks;
                const Stage& stage = of_first ? first : second;
                const int64_t index = of_first ? task : task - first_tasks;
                const int64_t from = (of_first ? step + 2 : step) * steps.at_once;
                stage.work(from + index / stage.tasks, index % stage.tasks, scratch[tasks.thread()]);
            }
        });
    }
}

}  // namespace escn::network
