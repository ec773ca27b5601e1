#include "cuda/driver/stream.h"

#include <exception>

#include "cuda/driver/check.h"

namespace escn::cuda {

Event::Event(unsigned flags) { check(cudaEventCreateWithFlags(&event_, flags), "creating an event"); }

Event::~Event() { cudaEventDestroy(event_); }

void Event::synchronize() const { check(cudaEventSynchronize(event_), "waiting for the GPU"); }

double seconds_between(const TimedEvent& from, const TimedEvent& to) {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, from.get(), to.get()), "reading a time");
    return milliseconds / 1000.0;
}

Graph::~Graph() { cudaGraphExecDestroy(exec_); }

// Non-blocking, so that work on the legacy default stream, such as PyCUDA's, does not serialise with a run.
Stream::Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream"); }

Stream::~Stream() { cudaStreamDestroy(stream_); }

void Stream::record(Event& event) { check(cudaEventRecord(event.get(), stream_), "recording an event"); }

void Stream::wait(const Event& event) {
    check(cudaStreamWaitEvent(stream_, event.get(), 0), "ordering two streams");
}

void Stream::wait_for_stream(engine::Handle stream) {
    const Event event;
    check(cudaEventRecord(event.get(), reinterpret_cast<cudaStream_t>(stream)), "recording an event");
    wait(event);
}

void Stream::synchronize() const noexcept { cudaStreamSynchronize(stream_); }

void Stream::copy_to_device(void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "copying to the GPU");
}

void Stream::copy_to_host(void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "copying from the GPU");
}

void Stream::zero(void* data, std::size_t bytes) {
    check(cudaMemsetAsync(data, 0, bytes, stream_), "clearing GPU memory");
}

std::unique_ptr<Graph> Stream::capture(const std::function<void()>& queue) {
    // Thread-local, so that work of other threads, such as another segmenter's, does not disturb the capture.
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "capturing a network");
    bool queued = true;
    try {
        queue();
    } catch (const std::exception&) {
        queued = false;  // refused during capture; without capture it may work
    }
    cudaGraph_t graph = nullptr;
    const bool ended = cudaStreamEndCapture(stream_, &graph) == cudaSuccess;
    cudaGraphExec_t exec = nullptr;
    const bool made =
        queued && ended && cudaGraphInstantiateWithFlags(&exec, graph, 0) == cudaSuccess && exec != nullptr;
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();  // clears the error of a failed capture
    return made ? std::make_unique<Graph>(exec) : nullptr;
}

void Stream::launch(const Graph& graph) {
    check(cudaGraphLaunch(graph.get(), stream_), "launching a network");
}

}  // namespace escn::cuda
