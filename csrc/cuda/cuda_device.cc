#include "cuda/cuda_device.h"

#include <exception>

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

class CudaGraph final : public Graph {
  public:
    explicit CudaGraph(cudaGraphExec_t exec) : exec_(exec) {}
    ~CudaGraph() override { cudaGraphExecDestroy(exec_); }
    CudaGraph(const CudaGraph&) = delete;
    CudaGraph& operator=(const CudaGraph&) = delete;
    cudaGraphExec_t exec() const { return exec_; }

  private:
    cudaGraphExec_t exec_;
};

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

CudaDevice::~CudaDevice() {
    try {
        const DeviceScope scope(index_);
        streams_.reset();
    } catch (const CudaError&) {  // the context is gone, and its streams with it
    }
}

std::unique_ptr<DeviceGuard> CudaDevice::make_current() { return make_guard(index_); }

MemoryPlace CudaDevice::place_of(const void* address) {
    cudaPointerAttributes attributes{};
    check(cudaPointerGetAttributes(&attributes, address), "asking where an array lies");
    const bool on_device =
        attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
    if (!on_device) return {-1, false};
    return {attributes.device, attributes.device == index_ && in_foreign_context(address)};
}

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

std::shared_ptr<Graph> CudaDevice::record(std::function<void(engine::Handle)> queue) {
    const cudaStream_t stream = of(Lane::kCompute);
    // Thread-local: what other threads do meanwhile, a segmenter of their own say, is no concern of this
    // recording.
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "recording a network");
    bool queued = true;
    try {
        queue(this->stream());
    } catch (const std::exception&) {
        queued = false;  // refused while recording; plainly it may work
    }
    cudaGraph_t graph = nullptr;
    const bool ended = cudaStreamEndCapture(stream, &graph) == cudaSuccess;
    cudaGraphExec_t exec = nullptr;
    const bool made =
        queued && ended && cudaGraphInstantiateWithFlags(&exec, graph, 0) == cudaSuccess && exec != nullptr;
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();  // a recording that failed leaves its error behind
    return made ? std::make_shared<CudaGraph>(exec) : nullptr;
}

void CudaDevice::launch(std::shared_ptr<Graph> graph) {
    check(cudaGraphLaunch(static_cast<CudaGraph&>(*graph).exec(), of(Lane::kCompute)), "launching a network");
}

engine::Handle CudaDevice::stream() const { return reinterpret_cast<engine::Handle>(of(Lane::kCompute)); }

}  // namespace escn::cuda
