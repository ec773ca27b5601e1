#include "cuda/simulated_device.h"

#include <cstring>
#include <stdexcept>
#include <utility>

#include "cuda/host_kernels.h"

namespace escn::cuda {
namespace {

struct Passage {
    uint64_t turn = 0;
    double time = 0;
};

struct SimulatedMark final : public Mark {
    std::shared_ptr<Passage> passed = std::make_shared<Passage>();
    uint64_t set = 0;  // how often it was queued
};

struct SimulatedGraph final : public Graph {
    std::function<void(engine::Handle)> network;
};

// What a buffer holds before anything is written to it must not matter.
class PoisonedMemory final : public ArenaMemory {
  public:
    void* allocate(std::size_t bytes) override {
        void* block = memory_->allocate(bytes);
        std::memset(block, 0xA5, bytes);
        return block;
    }
    void release(void* block) noexcept override { memory_->release(block); }

  private:
    std::unique_ptr<ArenaMemory> memory_ = host_arena_memory();
};

}  // namespace

SimulatedDevice::SimulatedDevice(uint32_t seed, int index, double replay_seconds)
    : index_(index), replay_seconds_(replay_seconds), random_(seed) {}

std::unique_ptr<DeviceGuard> SimulatedDevice::make_current() { return std::make_unique<DeviceGuard>(); }

MemoryPlace SimulatedDevice::place_of(const void*) { return {index_, false}; }

std::unique_ptr<ArenaMemory> SimulatedDevice::arena_memory() { return std::make_unique<PoisonedMemory>(); }

std::unique_ptr<ArenaMemory> SimulatedDevice::staging_memory() { return std::make_unique<PoisonedMemory>(); }

std::unique_ptr<Mark> SimulatedDevice::new_mark(bool) { return std::make_unique<SimulatedMark>(); }

void SimulatedDevice::queue(Lane lane, std::function<void()> work) {
    lanes_[static_cast<int>(lane)].push_back({[] { return true; }, std::move(work)});
}

bool SimulatedDevice::step() {
    const int drawn = static_cast<int>(random_() % 2);
    for (int lane : {drawn, 1 - drawn}) {
        std::deque<Task>& tasks = lanes_[lane];
        if (tasks.empty() || !tasks.front().ready()) continue;
        const Task task = std::move(tasks.front());
        tasks.pop_front();
        task.work();
        return true;
    }
    return false;
}

void SimulatedDevice::set(Mark& mark, Lane lane) {
    auto& simulated = static_cast<SimulatedMark&>(mark);
    queue(lane, [this, passed = simulated.passed, turn = ++simulated.set] { *passed = {turn, now_}; });
}

void SimulatedDevice::wait(Lane lane, const Mark& mark) {
    const auto& simulated = static_cast<const SimulatedMark&>(mark);
    lanes_[static_cast<int>(lane)].push_back(
        {[passed = simulated.passed, turn = simulated.set] { return passed->turn >= turn; }, [] {}});
}

void SimulatedDevice::wait_for_stream(engine::Handle) {}

void SimulatedDevice::synchronize(const Mark& mark) {
    const auto& simulated = static_cast<const SimulatedMark&>(mark);
    while (simulated.passed->turn < simulated.set) {
        if (!step()) throw std::logic_error("the lanes wait for each other");
    }
}

double SimulatedDevice::seconds(const Mark& from, const Mark& to) {
    const auto time = [](const Mark& mark) { return static_cast<const SimulatedMark&>(mark).passed->time; };
    return time(to) - time(from);
}

void SimulatedDevice::drain() noexcept {
    while (!lanes_[0].empty() || !lanes_[1].empty()) {
        try {
            if (!step()) throw std::logic_error("the lanes wait for each other");
        } catch (const std::logic_error&) {
            for (std::deque<Task>& tasks : lanes_) tasks.clear();
        } catch (...) {  // the task is off its lane; the others still run, as on a GPU
        }
    }
}

void SimulatedDevice::copy_to_device(void* to, const void* from, std::size_t bytes, Lane lane) {
    queue(lane, [=] { std::memcpy(to, from, bytes); });
}

void SimulatedDevice::copy_to_host(void* to, const void* from, std::size_t bytes, Lane lane) {
    queue(lane, [=] { std::memcpy(to, from, bytes); });
}

void SimulatedDevice::zero(void* data, std::size_t bytes) {
    queue(Lane::kCompute, [=] { std::memset(data, 0, bytes); });
}

void SimulatedDevice::reduce_slices(const SliceReduction& work) {
    queue(Lane::kCompute, [=] { host::reduce_slices(work); });
}

void SimulatedDevice::add_slab(const SlabSum& work) {
    queue(Lane::kCompute, [=] { host::add_slab(work); });
}

void SimulatedDevice::finish_input(const InputFinish& work) {
    queue(Lane::kCompute, [=] { host::finish_input(work); });
}

void SimulatedDevice::find_mask_box(const uint8_t* mask, const Size& size, MaskBox* box) {
    queue(Lane::kCompute, [=] { host::find_mask_box(mask, size, box); });
}

void SimulatedDevice::start_value_range(ValueRange* range) {
    queue(Lane::kCompute, [=] { host::start_value_range(range); });
}

void SimulatedDevice::add_value_range(const ScanView& view, ValueRange* range) {
    queue(Lane::kCompute, [=] { host::add_value_range(view, range); });
}

void SimulatedDevice::write_labels(const LabelSweep& work) {
    queue(Lane::kCompute, [=] { host::write_labels(work); });
}

std::shared_ptr<Graph> SimulatedDevice::record(std::function<void(engine::Handle)> network) {
    auto graph = std::make_shared<SimulatedGraph>();
    graph->network = std::move(network);
    return graph;
}

void SimulatedDevice::launch(std::shared_ptr<Graph> graph) {
    queue(Lane::kCompute, [this, network = static_cast<SimulatedGraph&>(*graph).network] {
        now_ += replay_seconds_;
        network(stream());
    });
}

void SimulatedDevice::run(std::function<void(engine::Handle)> network) {
    queue(Lane::kCompute, [this, network = std::move(network)] {
        now_ += 1;
        network(stream());
    });
}

}  // namespace escn::cuda
