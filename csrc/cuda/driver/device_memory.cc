#include "cuda/driver/device_memory.h"

#include <sstream>
#include <string>

#include "cuda/driver/check.h"
#include "cuda/driver/device.h"

namespace escn::cuda {
namespace {

std::string megabytes(std::size_t bytes) {
    std::ostringstream text;
    text << (bytes + 999999) / 1000000 << " MB";
    return text.str();
}

class DeviceMemory final : public Allocator {
  public:
    explicit DeviceMemory(int device) : device_(device) {}
    void* allocate(std::size_t bytes) override {
        const DeviceScope scope(device_);
        void* block = nullptr;
        const cudaError_t status = cudaMalloc(&block, bytes);
        if (status == cudaErrorMemoryAllocation) {
            cudaGetLastError();  // clears the error; the context stays usable
            std::size_t available = 0, total = 0;
            check(cudaMemGetInfo(&available, &total), "asking for the free GPU memory");
            throw CudaError("The GPU has " + megabytes(available) + " of its " + megabytes(total) +
                            " free, but " + megabytes(bytes) +
                            " are needed for this scan; free GPU memory, or use device=\"cpu\".");
        }
        check(status, "allocating GPU memory");
        return block;
    }
    void release(void* block) noexcept override {
        try {
            const DeviceScope scope(device_);
            cudaFree(block);
        } catch (const CudaError&) {  // the context is gone, and its memory with it
        }
    }

  private:
    int device_;
};

class PinnedMemory final : public Allocator {
  public:
    explicit PinnedMemory(int device) : device_(device) {}
    void* allocate(std::size_t bytes) override {
        const DeviceScope scope(device_);
        void* block = nullptr;
        check(cudaHostAlloc(&block, bytes, cudaHostAllocDefault), "allocating page-locked memory");
        return block;
    }
    void release(void* block) noexcept override { cudaFreeHost(block); }

  private:
    int device_;
};

void copy_after(engine::Handle stream, void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                const char* what) {
    check(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(stream)), "waiting for a stream");
    check(cudaMemcpy(to, from, bytes, kind), what);
}

}  // namespace

std::unique_ptr<Allocator> device_memory(int device) { return std::make_unique<DeviceMemory>(device); }

std::unique_ptr<Allocator> pinned_memory(int device) { return std::make_unique<PinnedMemory>(device); }

void read_device(void* to, const void* from, std::size_t bytes, engine::Handle stream) {
    copy_after(stream, to, from, bytes, cudaMemcpyDeviceToHost, "copying from the GPU");
}

void write_device(void* to, const void* from, std::size_t bytes, engine::Handle stream) {
    copy_after(stream, to, from, bytes, cudaMemcpyHostToDevice, "copying to the GPU");
}

}  // namespace escn::cuda
