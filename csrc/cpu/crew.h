// Threads that stay for the length of one run, so that each of its many small copies need not start its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace escn::cpu {

class Crew {
  public:
    explicit Crew(int threads);
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    // task(0) ... task(count - 1), spread over the crew and the calling thread; returns when all are done.
    // Tasks must not throw.
    void run(int64_t count, const std::function<void(int64_t)>& task);

  private:
    void serve();
    void work_off(std::unique_lock<std::mutex>& lock);

    std::mutex mutex_;
    std::condition_variable begin_, end_;
    const std::function<void(int64_t)>* task_ = nullptr;
    int64_t next_ = 0, count_ = 0, running_ = 0;
    bool closing_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace escn::cpu
