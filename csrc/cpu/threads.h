// Work spread over threads that live as long as one call: no pool outlasts it, so callers may fork.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace escn::cpu {

// Hands out tasks 0, 1, ... count - 1, each once.
class Tasks {
  public:
    explicit Tasks(int64_t count) : count_(count) {}

    bool take(int64_t& task) {
        task = next_.fetch_add(1, std::memory_order_relaxed);
        return task < count_;
    }

    void cancel() { next_.store(count_, std::memory_order_relaxed); }

  private:
    std::atomic<int64_t> next_{0};
    const int64_t count_;
};

// `requested` threads, or as many as the process may use where it is 0. Throws std::invalid_argument below 0.
int thread_count(int requested);

// Runs `worker` on at most `threads` threads, this one included; each takes tasks until none is left. The
// first exception of a worker is thrown again here.
void run(int threads, int64_t tasks, const std::function<void(Tasks&)>& worker);

}  // namespace escn::cpu
