// Runs a network on a device, plainly or, once a size repeats, as a recorded graph.
#pragma once

#include <memory>
#include <optional>

#include "cuda/device.h"
#include "engine/network.h"

namespace escn::cuda {

class NetworkRunner {
  public:
    // `graphs`: whether to record. A graph saves the launches' time on the host and costs a recording a size.
    NetworkRunner(std::shared_ptr<engine::Network> network, bool graphs);

    engine::Network& network() const { return *network_; }
    engine::Requirements prepare(const Size& size, Device& device);
    void queue(const engine::RunMemory& memory, Device& device);
    bool replays() const { return graph_ != nullptr; }

  private:
    std::shared_ptr<engine::Network> network_;
    bool graphs_;
    Size size_{};
    // A graph holds these addresses, and what TensorRT keeps for a size: a change of either ends its use.
    std::optional<engine::RunMemory> memory_;
    std::shared_ptr<Graph> graph_;
};

}  // namespace escn::cuda
