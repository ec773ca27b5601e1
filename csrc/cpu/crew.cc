#include "cpu/crew.h"

#include <exception>

namespace escn::cpu {

Crew::Crew(int threads) {
    threads_.reserve(threads);
    for (int i = 1; i < threads; ++i) {
        try {
            threads_.emplace_back([this] { serve(); });
        } catch (const std::exception&) {
            break;  // the system gives no more threads: those there are do the work
        }
    }
}

Crew::~Crew() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        closing_ = true;
    }
    begin_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Crew::work_off(std::unique_lock<std::mutex>& lock) {
    while (next_ < count_) {
        const int64_t index = next_++;
        const auto& task = *task_;
        ++running_;
        lock.unlock();
        task(index);
        lock.lock();
        --running_;
    }
    if (running_ == 0) end_.notify_all();
}

void Crew::serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        begin_.wait(lock, [this] { return closing_ || next_ < count_; });
        if (closing_) return;
        work_off(lock);
    }
}

void Crew::run(int64_t count, const std::function<void(int64_t)>& task) {
    if (threads_.empty() || count < 2) {
        for (int64_t index = 0; index < count; ++index) task(index);
        return;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    task_ = &task;
    next_ = 0;
    count_ = count;
    begin_.notify_all();
    work_off(lock);
    end_.wait(lock, [this] { return next_ >= count_ && running_ == 0; });
}

}  // namespace escn::cpu
