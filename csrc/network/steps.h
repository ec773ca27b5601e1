// Runs two layers over the slabs of one level. The second follows the first at a distance of one step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "cpu/thread_pool.h"
#include "network/kernels.h"

namespace escn::network {

// A layer's work on a slab, in independent tasks.
struct Stage {
    int64_t tasks;
    std::function<void(int64_t slab, int64_t task, const Scratch&)> work;
};

// The slabs of a level. A step processes `at_once` slabs, then waits for all threads.
struct Steps {
    int64_t slabs;
    int64_t at_once;

    // The number of the first layer's slabs that are kept: those of two steps, and one before.
    int64_t kept() const { return std::min(slabs, 2 * at_once + 1); }
};

// The second layer follows the first at a distance of one step, because it reads one more slab on either side
// of its own. `scratch` has one element per thread of the pool.
inline void run_pipelined(cpu::ThreadPool& pool, const std::vector<Scratch>& scratch, const Steps& steps,
                          const Stage& first, const Stage& second) {
    const auto run = [&](const Stage& stage, int64_t from) {
        const int64_t slabs = std::min(steps.at_once, steps.slabs - from);
        if (slabs <= 0) return;
        pool.run(slabs * stage.tasks, [&](cpu::Tasks& tasks) {
            for (int64_t task = 0; tasks.take(task);) {
                stage.work(from + task / stage.tasks, task % stage.tasks, scratch[tasks.thread()]);
            }
        });
    };
    run(first, 0);
    for (int64_t from = 0; from < steps.slabs; from += steps.at_once) {
        run(first, from + steps.at_once);
        run(second, from);
    }
}

}  // namespace escn::network
