#include "cuda/network_runner.h"

#include <utility>

namespace escn::cuda {
namespace {

bool same(const engine::RunMemory& a, const engine::RunMemory& b) {
    return a.input == b.input && a.output == b.output && a.activation == b.activation &&
           a.activation_bytes == b.activation_bytes;
}

}  // namespace

NetworkRunner::NetworkRunner(std::shared_ptr<engine::Network> network, bool graphs)
    : network_(std::move(network)), graphs_(graphs) {}

engine::Requirements NetworkRunner::prepare(const Size& size, Device& device) {
    if (size != size_) {
        memory_.reset();
        graph_.reset();
        size_ = size;
    }
    return network_->prepare(size, device.stream());
}

void NetworkRunner::queue(const engine::RunMemory& memory, Device& device) {
    const auto enqueue = [network = network_, memory](engine::Handle stream) {
        network->enqueue(memory, stream);
    };
    // The first run at a size may allocate and choose kernels, which cannot be recorded.
    const bool repeats = memory_ && same(*memory_, memory);
    if (!repeats) graph_.reset();
    memory_ = memory;
    if (graphs_ && repeats && !graph_) {
        graph_ = device.record(enqueue);
        graphs_ = graph_ != nullptr;  // what cannot be recorded once is not tried again
    }
    if (graph_) {
        device.launch(graph_);
    } else {
        device.run(enqueue);
    }
}

}  // namespace escn::cuda
