// Decides which work of which stream runs next.
//
// Streams keep their queued work. It runs, one piece at a time, when a thread waits or queues more. A random
// generator draws the next stream, and how much work runs before a wait. So work runs as early or as late as
// a GPU may run it, in any order that streams and events allow. The same seed gives the same order again.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

namespace emulated {

using Work = std::function<void()>;

// A point in a stream, once it is recorded.
struct Point {
    bool passed = false;
    double seconds = 0;  // on the GPUs' clock
};

struct Task {
    Work work;
    double seconds;                 // its duration
    std::shared_ptr<Point> awaits;  // the point that must pass before it; may be null
};

using Queue = std::deque<Task>;  // the tasks of a stream

class Scheduler {
  public:
    // Seeds the generator again if the environment variable EMULATED_SEED is set.
    void add(Queue& queue);
    void remove(Queue& queue);  // runs its work first
    void push(Queue& queue, Task task);
    void record(Queue& queue, const std::shared_ptr<Point>& point);
    void wait(const std::shared_ptr<Point>& point);  // the calling thread runs work until it passes
    bool passed(const Point& point);
    double seconds_between(const Point& from, const Point& to);

    std::minstd_rand& random() { return random_; }  // for work, while it runs

  private:
    unsigned draw(unsigned count) { return static_cast<unsigned>(random_() % count); }  // below `count`
    void work_until(const std::function<bool()>& done);
    bool step();  // runs one task; false if no stream can go on

    std::mutex mutex_;
    std::minstd_rand random_{1};
    double now_ = 0;
    std::vector<Queue*> queues_;
};

Scheduler& scheduler();

// Prints what a kernel or a stream did that no GPU allows, and ends the process.
[[noreturn]] void fail(const char* what);

}  // namespace emulated
