// Exits with 0 if the thread pool keeps its promises; otherwise it prints a line for each broken one.
#include "cpu/thread_pool.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

std::atomic<int> broken{0};

void expect(bool kept, const char* promise) {
    if (kept) return;
    std::puts(promise);
    broken = 1;
}

void each_task_goes_to_one_thread(escn::cpu::ThreadPool& pool, int threads) {
    for (const int64_t count : {0, 1, 2, 1000}) {
        const auto taken = std::make_unique<std::atomic<int>[]>(count);
        const auto calls = std::make_unique<std::atomic<int>[]>(threads);
        pool.run(count, [&](escn::cpu::Tasks& tasks) {
            expect(tasks.thread() < threads, "a thread has a number below their count");
            ++calls[tasks.thread()];
            for (int64_t task; tasks.take(task);) ++taken[task];
        });
        for (int64_t task = 0; task < count; ++task) expect(taken[task] == 1, "each task is taken once");
        for (int thread = 0; thread < threads; ++thread) {
            expect(calls[thread] <= 1, "a worker is called at most once on a thread");
        }
    }
}

void a_failure_is_thrown_again(escn::cpu::ThreadPool& pool) {
    std::string found;
    try {
        pool.for_each(1000, [](int64_t task) {
            if (task == 7) throw std::runtime_error("task 7");
        });
    } catch (const std::runtime_error& error) {
        found = error.what();
    }
    expect(found == "task 7", "the exception of a worker is thrown again");
}

}  // namespace

int main() {
    for (const int threads : {1, 2, 5}) {
        escn::cpu::ThreadPool pool(threads);
        for (int repeat = 0; repeat < 200; ++repeat) {
            each_task_goes_to_one_thread(pool, threads);
            a_failure_is_thrown_again(pool);
        }
    }
    return broken;
}
