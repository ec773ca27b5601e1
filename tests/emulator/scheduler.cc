#include "scheduler.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "gpu.h"

namespace emulated {
namespace {

using Lock = std::lock_guard<std::mutex>;

// While one lives, the calling thread does the GPUs' work. After it the host can access none of their memory.
struct Turn {
    ~Turn() { memory().protect(); }
};

}  // namespace

void Scheduler::add(Queue& queue) {
    const Lock lock(mutex_);
    if (const char* seed = std::getenv("EMULATED_SEED")) random_.seed(std::strtoul(seed, nullptr, 10));
    queues_.push_back(&queue);
}

void Scheduler::remove(Queue& queue) {
    const Lock lock(mutex_);
    work_until([&] { return queue.empty(); });
    queues_.erase(std::find(queues_.begin(), queues_.end(), &queue));
}

void Scheduler::push(Queue& queue, Task task) {
    const Lock lock(mutex_);
    const Turn turn;
    queue.push_back(std::move(task));
    while (draw(4) == 0 && step()) {
    }
}

void Scheduler::record(Queue& queue, const std::shared_ptr<Point>& point) {
    push(queue, {[this, point] { *point = {true, now_}; }, 0, nullptr});
}

void Scheduler::wait(const std::shared_ptr<Point>& point) {
    const Lock lock(mutex_);
    work_until([&] { return point->passed; });
}

void Scheduler::work_until(const std::function<bool()>& done) {
    const Turn turn;
    while (!done()) {
        if (!step()) fail("streams wait for each other");
    }
}

bool Scheduler::passed(const Point& point) {
    const Lock lock(mutex_);
    return point.passed;
}

double Scheduler::seconds_between(const Point& from, const Point& to) {
    const Lock lock(mutex_);
    return to.seconds - from.seconds;
}

bool Scheduler::step() {
    const auto count = static_cast<unsigned>(queues_.size());
    const unsigned first = count == 0 ? 0 : draw(count);
    for (unsigned turn = 0; turn < count; ++turn) {
        Queue& queue = *queues_[(first + turn) % count];
        if (queue.empty() || (queue.front().awaits && !queue.front().awaits->passed)) continue;
        const Task task = std::move(queue.front());
        queue.pop_front();
        now_ += task.seconds;
        task.work();
        return true;
    }
    return false;
}

// Never destroyed, because interpreters may end with work still queued, as a real driver allows.
Scheduler& scheduler() {
    static auto* scheduler = new Scheduler;
    return *scheduler;
}

void fail(const char* what) {
    std::fprintf(stderr, "emulated GPU: %s\n", what);
    std::abort();
}

}  // namespace emulated
