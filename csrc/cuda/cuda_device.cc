#include "cuda/cuda_device.h"

#include <utility>

#include "cuda/kernels.h"

namespace escn::cuda {
namespace {

class CudaMark final : public Mark {
  public:
    explicit CudaMark(bool timed) : event(timed) {}
    Event event;
};

Event& event_of(Mark& mark) { return static_cast<CudaMark&>(mark).event; }
const Event& event_of(const Mark& mark) { return static_cast<const CudaMark&>(mark).event; }

class CudaGuard final : public DeviceGuard {
  public:
    explicit CudaGuard(int device) : scope_(device) {}

  private:
    DeviceScope scope_;
};

}  // namespace

std::unique_ptr<DeviceGuard> make_guard(int device) { return std::make_unique<CudaGuard>(device); }

CudaDevice::CudaDevice(int index) : index_(index) {
    const DeviceScope scope(index_);
    streams_ = std::make_unique<Streams>();
}

std::unique_ptr<DeviceGuard> CudaDevice::make_current() { return make_guard(index_); }

std::unique_ptr<ArenaMemory> CudaDevice::arena_memory() { return device_arena_memory(index_); }

std::unique_ptr<ArenaMemory> CudaDevice::staging_memory() { return pinned_memory(index_); }

std::unique_ptr<Mark> CudaDevice::new_mark(bool timed) { return std::make_unique<CudaMark>(timed); }

void CudaDevice::set(Mark& mark, Lane lane) { event_of(mark).record(of(lane)); }

void CudaDevice::wait(Lane lane, const Mark& mark) { event_of(mark).make_wait(of(lane)); }

void CudaDevice::wait_for_stream(engine::Handle stream) {
    Event event;
    event.record(reinterpret_cast<cudaStream_t>(stream));
    event.make_wait(of(Lane::kCompute));
}

void CudaDevice::synchronize(const Mark& mark) { event_of(mark).synchronize(); }

double CudaDevice::seconds(const Mark& from, const Mark& to) {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, event_of(from).get(), event_of(to).get()), "reading a time");
    return milliseconds / 1000.0;
}

void CudaDevice::drain() noexcept {
    cudaStreamSynchronize(of(Lane::kCopy));
    cudaStreamSynchronize(of(Lane::kCompute));
}

void CudaDevice::copy_to_device(void* to, const void* from, std::size_t bytes, Lane lane) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, of(lane)), "copying to the GPU");
}

void CudaDevice::copy_to_host(void* to, const void* from, std::size_t bytes, Lane lane) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, of(lane)), "copying from the GPU");
}

void CudaDevice::zero(void* data, std::size_t bytes) {
    check(cudaMemsetAsync(data, 0, bytes, of(Lane::kCompute)), "clearing GPU memory");
}

void CudaDevice::reduce_slices(const SliceReduction& work) { cuda::reduce_slices(work, of(Lane::kCompute)); }

void CudaDevice::add_slab(const SlabSum& work) { cuda::add_slab(work, of(Lane::kCompute)); }

void CudaDevice::finish_input(const InputFinish& work) { cuda::finish_input(work, of(Lane::kCompute)); }

void CudaDevice::find_mask_box(const uint8_t* mask, const Size& size, MaskBox* box) {
    cuda::find_mask_box(mask, size, box, of(Lane::kCompute));
}

void CudaDevice::start_value_range(ValueRange* range) { cuda::start_value_range(range, of(Lane::kCompute)); }

void CudaDevice::add_value_range(const ScanView& view, ValueRange* range) {
    cuda::add_value_range(view, range, of(Lane::kCompute));
}

void CudaDevice::write_labels(const LabelSweep& work) { cuda::write_labels(work, of(Lane::kCompute)); }

void CudaDevice::run(std::function<void(engine::Handle)> queue) { queue(stream()); }

engine::Handle CudaDevice::stream() const { return reinterpret_cast<engine::Handle>(of(Lane::kCompute)); }

}  // namespace escn::cuda
