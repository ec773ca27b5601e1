#include "cuda/network_runner.h"

#include <algorithm>
#include <utility>

namespace escn::cuda {
namespace {

constexpr int kTrialRuns = 3;  // with a graph, and as many without; the fastest of each counts
constexpr std::size_t kMostTrials = 16;

}  // namespace

NetworkRunner::NetworkRunner(std::shared_ptr<engine::Network> network, bool graphs)
    : network_(std::move(network)), graphs_(graphs) {}

engine::Requirements NetworkRunner::prepare(const Size& size, Stream& stream) {
    if (size != size_) {
        memory_.reset();
        graph_.reset();
        size_ = size;
    }
    return network_->prepare(size, stream.handle());
}

NetworkRunner::Trial& NetworkRunner::trial_of(const Size& size) {
    const auto found =
        std::find_if(trials_.begin(), trials_.end(), [&](const Trial& trial) { return trial.size == size; });
    if (found != trials_.end()) return *found;
    if (trials_.size() == kMostTrials) trials_.erase(trials_.begin());
    return trials_.emplace_back(Trial{size, {}, {}});
}

void NetworkRunner::read_time() {
    if (timed_ == nullptr) return;
    Times& times = *std::exchange(timed_, nullptr);
    times.fastest = std::min(times.fastest, seconds_between(*begin_, *end_));
    ++times.runs;
}

void NetworkRunner::queue(const engine::RunMemory& memory, Stream& stream) {
    const auto enqueue = [&] { network_->enqueue(memory, stream.handle()); };
    read_time();
    const bool repeats = memory_ == memory;
    if (!repeats) graph_.reset();
    memory_ = memory;
    // The first run at a size may allocate memory and choose kernels. It cannot be captured, and its time is
    // not representative.
    if (!graphs_ || !repeats) {
        enqueue();
        return;
    }
    Trial& trial = trial_of(size_);
    const bool tried = trial.plain.runs >= kTrialRuns && trial.replayed.runs >= kTrialRuns;
    const bool replay = tried ? trial.replayed.fastest < trial.plain.fastest : trial.plain.runs >= kTrialRuns;
    if (!replay) graph_.reset();
    if (replay && !graph_) {
        graph_ = stream.capture(enqueue);
        graphs_ = graph_ != nullptr;  // after one failed capture, graphs are not tried again
    }
    const bool timed = !tried && graphs_;
    if (timed && !begin_) {
        begin_.emplace();
        end_.emplace();
    }
    if (timed) stream.record(*begin_);
    if (graph_) {
        stream.launch(*graph_);
    } else {
        enqueue();
    }
    if (!timed) return;
    stream.record(*end_);
    timed_ = replay ? &trial.replayed : &trial.plain;
}

}  // namespace escn::cuda
