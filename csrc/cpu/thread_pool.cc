#include "cpu/thread_pool.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#ifdef __linux__
#include <sched.h>
#endif

namespace escn::cpu {
namespace {

int usable_cores() {
#ifdef __linux__
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return std::max(1, CPU_COUNT(&cores));
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

int thread_count(int requested) {
    if (requested < 0) {
        throw std::invalid_argument("threads must be 0 (all cores) or a positive number, found " +
                                    std::to_string(requested) + ".");
    }
    return requested == 0 ? usable_cores() : requested;
}

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        closing_ = true;
    }
    begin_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::start(int64_t tasks) {
    const auto wanted = static_cast<int>(std::min<int64_t>(most_, tasks));
    for (auto thread = static_cast<int>(threads_.size()) + 1; thread < wanted; ++thread) {
        try {
            threads_.emplace_back([this, thread] { serve(thread); });
        } catch (const std::exception&) {
            return;  // the system has no more threads, or no memory for them
        }
    }
}

// The lock is held on entry and on return.
void ThreadPool::work(std::unique_lock<std::mutex>& lock, int thread) {
    const auto& worker = *worker_;
    Tasks tasks(next_, count_, thread);
    ++working_;
    lock.unlock();
    std::exception_ptr failure;
    try {
        worker(tasks);
    } catch (...) {
        failure = std::current_exception();
        next_ = count_;  // the other threads take no more tasks
    }
    lock.lock();
    if (failure && !failure_) failure_ = failure;
    --working_;
}

void ThreadPool::serve(int thread) {
    std::unique_lock<std::mutex> lock(mutex_);
    int64_t joined = 0;
    while (true) {
        begin_.wait(lock, [&] { return closing_ || (worker_ && runs_ != joined); });
        if (closing_) return;
        joined = runs_;
        work(lock, thread);
        if (working_ == 0) end_.notify_one();
    }
}

void ThreadPool::run(int64_t count, const std::function<void(Tasks&)>& worker) {
    std::unique_lock<std::mutex> lock(mutex_);
    worker_ = &worker;
    next_ = 0;
    count_ = count;
    ++runs_;
    lock.unlock();
    if (count > 1) begin_.notify_all();
    start(count);
    lock.lock();
    work(lock, 0);
    worker_ = nullptr;  // a thread that wakes only now has nothing to do
    end_.wait(lock, [this] { return working_ == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::for_each(int64_t count, const std::function<void(int64_t)>& task) {
    run(count, [&](Tasks& tasks) {
        for (int64_t index; tasks.take(index);) task(index);
    });
}

}  // namespace escn::cpu
