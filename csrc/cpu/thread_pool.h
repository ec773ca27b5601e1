// Spreads work over threads. No thread outlives the call into the core that started it, so that
// callers may fork.
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

// Returns `requested`, or the number of cores that the process may use if it is 0. Throws
// std::invalid_argument below 0.
int thread_count(int requested);

// One thread's access to tasks 0, 1, ... count - 1. Each task goes to one thread.
class Tasks {
  public:
    Tasks(std::atomic<int64_t>& next, int64_t count, int thread)
        : next_(next), count_(count), thread_(thread) {}

    bool take(int64_t& task) {
        task = next_.fetch_add(1, std::memory_order_relaxed);
        return task < count_;
    }

    // The thread's number: 0 for the calling thread, always less than the pool's number of threads.
    int thread() const { return thread_; }

  private:
    std::atomic<int64_t>& next_;
    const int64_t count_;
    const int thread_;
};

class ThreadPool {
  public:
    // At most `threads` threads, including the calling one. Each is started when there is a task for it. If
    // the system cannot start all of them, those that run do all the work.
    explicit ThreadPool(int threads) : most_(threads) {}
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    // Calls `worker` at most once on each thread, including the calling one; each call takes tasks until none
    // is left. The first exception of a worker ends the work and is rethrown here. One call at a time.
    void run(int64_t count, const std::function<void(Tasks&)>& worker);

    // Calls task(0), ... task(count - 1), each once and on any thread, as `run` does.
    void for_each(int64_t count, const std::function<void(int64_t)>& task);

  private:
    void start(int64_t tasks);
    void serve(int thread);
    void work(std::unique_lock<std::mutex>& lock, int thread);

    std::mutex mutex_;
    std::condition_variable begin_, end_;
    // State of the current call of `run`. `runs_` counts the calls, so that a thread joins each at most once.
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
