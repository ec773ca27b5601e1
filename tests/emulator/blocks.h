// The language of kernels: what nvcc adds to C++ in a kernel's source, for threads that are fibers.
//
// Blocks run one at a time, and so do threads between barriers, in a random order. A block's shared memory
// begins as rubbish, and memory past its end is not mapped.
#pragma once

#include <cuda_runtime_api.h>
#include <device_types.h>

#include <algorithm>
#include <cstddef>
#include <functional>

#undef __global__
#undef __launch_bounds__
#define __global__ static
#define __launch_bounds__(...)

namespace emulated {

struct Thread {
    uint3 thread, block;
    dim3 threads, blocks;
};

extern const Thread* running_thread;
void block_barrier();
// The value that lane `lane ^ mask` of the warp passed to the same call.
long long exchange(long long value, unsigned mask);
void* shared_variable(int line, std::size_t bytes);
void* dynamic_shared_memory();

template <typename T>
T& shared(int line) {
    return *static_cast<T*>(shared_variable(line, sizeof(T)));
}

// Runs all blocks of a grid on the calling thread.
void run_grid(dim3 blocks, dim3 threads, std::size_t dynamic_shared, const std::function<void()>& kernel);

// Does what `kernel<<<blocks, threads, dynamic_shared, stream>>>(...)` does.
void launch(dim3 blocks, dim3 threads, std::size_t dynamic_shared, cudaStream_t stream,
            std::function<void()> kernel);

template <typename T>
T replaced(T* at, T value) {
    const T former = *at;
    *at = value;
    return former;
}

}  // namespace emulated

#define threadIdx (emulated::running_thread->thread)
#define blockIdx (emulated::running_thread->block)
#define blockDim (emulated::running_thread->threads)
#define gridDim (emulated::running_thread->blocks)

inline void __syncthreads() { emulated::block_barrier(); }
inline long long __shfl_xor_sync(unsigned, long long value, unsigned mask) {
    return emulated::exchange(value, mask);
}

// Only one thread runs at a time, so each of these is atomic.
template <typename T>
T atomicAdd(T* at, T value) {
    return emulated::replaced(at, static_cast<T>(*at + value));
}
template <typename T>
T atomicMin(T* at, T value) {
    return emulated::replaced(at, std::min(*at, value));
}
template <typename T>
T atomicMax(T* at, T value) {
    return emulated::replaced(at, std::max(*at, value));
}
using std::max;
using std::min;
