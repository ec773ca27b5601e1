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

void the_pool_works_after_every_task_has_failed(escn::cpu::ThreadPool& pool) {
    bool thrown = false;
    try {
        pool.for_each(100, [](int64_t) { throw std::runtime_error("any"); });
    } catch (const std::runtime_error&) {
        thrown = true;
    }
    expect(thrown, "an exception is thrown again where every task throws one");
    std::atomic<int> done{0};
    pool.for_each(100, [&](int64_t) { ++done; });
    expect(done == 100, "a pool works after a failure");
}

// A pool ends before, while and after its threads start.
void pools_start_and_stop() {
    for (const int64_t count : {-1, 0, 1, 2, 3, 100}) {
        std::atomic<int64_t> done{0};
        {
            escn::cpu::ThreadPool pool(4);
            if (count >= 0) pool.for_each(count, [&](int64_t) { ++done; });
        }
        expect(done == (count < 0 ? 0 : count), "a pool ends after its work");
    }
}

}  // namespace

int main() {
    for (const int threads : {1, 2, 5}) {
        escn::cpu::ThreadPool pool(threads);
        for (int repeat = 0; repeat < 200; ++repeat) {
            each_task_goes_to_one_thread(pool, threads);
            a_failure_is_thrown_again(pool);
            the_pool_works_after_every_task_has_failed(pool);
        }
    }
    for (int repeat = 0; repeat < 200; ++repeat) pools_start_and_stop();
    return broken;
}
