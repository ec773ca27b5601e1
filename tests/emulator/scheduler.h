// Which work of which stream comes next.
//
// Streams keep what is queued on them. It is done, one piece at a time, when somebody waits or queues more:
// which stream is next, and how much is done ahead of a wait, is drawn from a seed. So work happens as late
// and as early as a GPU may do it, in any order that streams and events allow, and again in the same order
// with the same seed.
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
    double seconds = 0;  // of the GPUs' clock
};

struct Task {
    Work work;
    double seconds;                 // that it takes
    std::shared_ptr<Point> awaits;  // what must be passed before it, if anything
};

using Queue = std::deque<Task>;  // of a stream

class Scheduler {
  public:
    // The environment variable EMULATED_SEED, where there is one, begins the drawing anew.
    void add(Queue& queue);
    void remove(Queue& queue);  // once its work is done
    void push(Queue& queue, Task task);
    void record(Queue& queue, const std::shared_ptr<Point>& point);
    void wait(const std::shared_ptr<Point>& point);  // the calling thread works until it is passed
    bool passed(const Point& point);
    double seconds_between(const Point& from, const Point& to);

    std::minstd_rand& random() { return random_; }  // for work, while it is done

  private:
    unsigned draw(unsigned count) { return static_cast<unsigned>(random_() % count); }  // below `count`
    void work_until(const std::function<bool()>& done);
    bool step();  // does one piece; false if no stream can go on

    std::mutex mutex_;
    std::minstd_rand random_{1};
    double now_ = 0;
    std::vector<Queue*> queues_;
};

Scheduler& scheduler();

// Says what a kernel or a stream did that no GPU lets it do, and ends the process.
[[noreturn]] void fail(const char* what);

}  // namespace emulated
