#include "cpu/threads.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

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

void run(int threads, int64_t count, const std::function<void(Tasks&)>& worker) {
    Tasks tasks(count);
    std::mutex mutex;
    std::exception_ptr failure;
    const auto guarded = [&] {
        try {
            worker(tasks);
        } catch (...) {
            tasks.cancel();
            const std::lock_guard<std::mutex> lock(mutex);
            if (!failure) failure = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    const int64_t wanted = std::min<int64_t>(threads, count);
    for (int64_t i = 1; i < wanted; ++i) {
        try {
            others.emplace_back(guarded);
        } catch (const std::system_error&) {
            break;  // the system gives no more threads: those there are do the work
        }
    }
    guarded();
    for (std::thread& thread : others) thread.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace escn::cpu
