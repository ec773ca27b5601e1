// A device on the host, for machines without a GPU: two lanes of deferred work, taken in an order drawn from
// a seed and held back until somebody waits. What the lanes' marks do not order comes out wrong, as on a GPU,
// only sooner. Its clock runs while networks do: a second for a plain run.
#pragma once

#include <cstdint>
#include <deque>
#include <random>

#include "cuda/device.h"

namespace escn::cuda {

class SimulatedDevice final : public Device {
  public:
    // `index`: the number that it goes by. `replay_seconds`: what a network takes from a graph.
    SimulatedDevice(uint32_t seed, int index, double replay_seconds);

    std::unique_ptr<DeviceGuard> make_current() override;
    MemoryPlace place_of(const void* address) override;
    std::unique_ptr<ArenaMemory> arena_memory() override;
    std::unique_ptr<ArenaMemory> staging_memory() override;
    std::unique_ptr<Mark> new_mark(bool timed) override;
    void set(Mark& mark, Lane lane) override;
    void wait(Lane lane, const Mark& mark) override;
    void wait_for_stream(engine::Handle stream) override;
    void synchronize(const Mark& mark) override;
    double seconds(const Mark& from, const Mark& to) override;
    void drain() noexcept override;
    void copy_to_device(void* to, const void* from, std::size_t bytes, Lane lane) override;
    void copy_to_host(void* to, const void* from, std::size_t bytes, Lane lane) override;
    void zero(void* data, std::size_t bytes) override;
    void reduce_slices(const SliceReduction& work) override;
    void add_slab(const SlabSum& work) override;
    void finish_input(const InputFinish& work) override;
    void find_mask_box(const uint8_t* mask, const Size& size, MaskBox* box) override;
    void start_value_range(ValueRange* range) override;
    void add_value_range(const ScanView& view, ValueRange* range) override;
    void write_labels(const LabelSweep& work) override;
    void run(std::function<void(engine::Handle)> queue) override;
    std::shared_ptr<Graph> record(std::function<void(engine::Handle)> queue) override;
    void launch(std::shared_ptr<Graph> graph) override;
    engine::Handle stream() const override { return 0; }

  private:
    struct Task {
        std::function<bool()> ready;
        std::function<void()> work;
    };

    void queue(Lane lane, std::function<void()> work);
    bool step();  // runs one task of a lane drawn at random; false if none can run

    int index_;
    double replay_seconds_;
    double now_ = 0;
    std::mt19937 random_;
    std::deque<Task> lanes_[2];
};

}  // namespace escn::cuda
