// A GPU, by the CUDA runtime.
#pragma once

#include "cuda/device.h"
#include "cuda/runtime.h"

namespace escn::cuda {

std::unique_ptr<DeviceGuard> make_guard(int device);

class CudaDevice final : public Device {
  public:
    // Throws CudaError if there is no such device.
    explicit CudaDevice(int index);
    ~CudaDevice() override;

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
    engine::Handle stream() const override;

  private:
    cudaStream_t of(Lane lane) const {
        return lane == Lane::kCompute ? streams_->compute.get() : streams_->copy.get();
    }

    struct Streams {
        Stream compute;
        Stream copy;
    };

    int index_;
    std::unique_ptr<Streams> streams_;
};

}  // namespace escn::cuda
