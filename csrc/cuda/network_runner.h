// Runs a network on a stream, plainly or, at sizes where that is faster, as a captured graph.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "cuda/driver/stream.h"
#include "engine/network.h"

namespace escn::cuda {

// With graphs, the first runs at a size are timed, some of them plain and some replayed, and the faster way
// is kept. Times are read once the next run is queued, so that nobody waits for them. TensorRT wants a
// context for each graph: of several sizes, the verdicts are kept, but only the last one's graph.
class NetworkRunner {
  public:
    // `graphs`: whether to try them. The caller waits for a run before it queues the next.
    NetworkRunner(std::shared_ptr<engine::Network> network, bool graphs);

    engine::Network& network() const { return *network_; }
    engine::Requirements prepare(const Size& size, Stream& stream);
    void queue(const engine::RunMemory& memory, Stream& stream);
    bool replays() const { return graph_ != nullptr; }

  private:
    struct Times {
        int runs = 0;
        double fastest = std::numeric_limits<double>::infinity();  // seconds
    };

    // What the runs at a size took.
    struct Trial {
        Size size;
        Times plain, replayed;
    };

    Trial& trial_of(const Size& size);
    void read_time();

    std::shared_ptr<engine::Network> network_;
    bool graphs_;
    Size size_{};
    // A graph holds these addresses, and what TensorRT keeps for a size: a change of either ends its use.
    std::optional<engine::RunMemory> memory_;
    std::unique_ptr<Graph> graph_;
    std::vector<Trial> trials_;  // of the sizes met last
    std::optional<TimedEvent> begin_, end_;
    Times* timed_ = nullptr;  // where the time from begin_ to end_ belongs
};

}  // namespace escn::cuda
