// Spreads work over threads. None outlasts one call into the core, so callers may fork.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace escn::cpu {

// `requested` threads, or as many as the process may use where it is 0. Throws std::invalid_argument below 0.
int thread_count(int requested);

// One thread's hold on tasks 0, 1, ... count - 1, of which each goes to one thread.
class Tasks {
  public:
    Tasks(std::atomic<int64_t>& next, int64_t count, int thread)
        : next_(next), count_(count), thread_(thread) {}

    bool take(int64_t& task) {
        task = next_.fetch_add(1, std::memory_order_relaxed);
        return task < count_;
    }

    // 0 for the calling thread, below the pool's number of threads.
    int thread() const { return thread_; }

  private:
    std::atomic<int64_t>& next_;
    const int64_t count_;
    const int thread_;
};

class ThreadPool {
  public:
    // At most `threads`, the calling one included; each starts when there is a task for it. Where the system
    // gives fewer, those do the work.
    explicit ThreadPool(int threads) : most_(threads) {}
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    // Calls `worker` at most once on each thread, this one included; each takes tasks until none is left. The
    // first exception of a worker ends the work and is thrown again here. One call at a time.
    void run(int64_t count, const std::function<void(Tasks&)>& worker);

    // task(0), ... task(count - 1), each once on any thread, as `run`.
    void for_each(int64_t count, const std::function<void(int64_t)>& task);

  private:
    void start(int64_t tasks);
    void serve(int thread);
    void work(std::unique_lock<std::mutex>& lock, int thread);

    std::mutex mutex_;
    std::condition_variable begin_, end_;
    // Of the current run; `runs_` counts them, so that a thread joins each at most once.
    const std::function<void(Tasks&)>* worker_ = nullptr;
    std::atomic<int64_t> next_{0};
    int64_t count_ = 0, runs_ = 0;
    int working_ = 0;
    std::exception_ptr failure_;
    bool closing_ = false;
    const int most_;
    std::vector<std::thread> threads_;
};

}  // namespace escn::cpu
