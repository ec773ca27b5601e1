// Extremes of a scan's finite voxels, and the number of voxels that are not finite.
#include "cuda/kernels/kernels.h"
#include "cuda/kernels/launch.h"
#include "cuda/kernels/value_range.h"
#include "cuda/kernels/visit_voxels.h"

namespace escn::cuda {
namespace {

constexpr unsigned kThreads = 256;

__global__ void start_value_range_kernel(ValueRange* range) { *range = {kNoLow, kNoHigh, 0}; }

template <typename Voxel>
__global__ void __launch_bounds__(kThreads) value_range_kernel(ScanView view, ValueRange* range) {
    __shared__ ValueRange block_range;
    if (threadIdx.x == 0) block_range = {kNoLow, kNoHigh, 0};
    __syncthreads();
    uint32_t low = kNoLow, high = kNoHigh;
    unsigned long long nonfinite = 0;
    for (int64_t row = blockIdx.x; row < view.size[0] * view.size[1]; row += gridDim.x) {
        const Voxel* voxels = static_cast<const Voxel*>(view.data) + row / view.size[1] * view.stride[0] +
                              row % view.size[1] * view.stride[1];
        for (int64_t x = threadIdx.x; x < view.size[2]; x += kThreads) {
            const auto value = static_cast<float>(voxels[x * view.stride[2]]);
            if (is_finite(value)) {
                low = min(low, ordered_code(value));
                high = max(high, ordered_code(value));
            } else {
                ++nonfinite;
            }
        }
    }
    atomicMin(&block_range.low, low);
    atomicMax(&block_range.high, high);
    if (nonfinite != 0) atomicAdd(&block_range.nonfinite, nonfinite);
    __syncthreads();
    if (threadIdx.x == 0) {
        atomicMin(&range->low, block_range.low);
        atomicMax(&range->high, block_range.high);
        if (block_range.nonfinite != 0) atomicAdd(&range->nonfinite, block_range.nonfinite);
    }
}

}  // namespace

void start_value_range(ValueRange* range, cudaStream_t stream) {
    start_value_range_kernel<<<1, 1, 0, stream>>>(range);
    check_launch("the kernel that starts the value range");
}

void add_value_range(const ScanView& view, ValueRange* range, cudaStream_t stream) {
    constexpr int64_t kMostBlocks = 1024;  // enough to fill any GPU; each block takes many rows
    const int64_t rows = view.size[0] * view.size[1];
    const auto blocks = static_cast<unsigned>(rows < kMostBlocks ? rows : kMostBlocks);
    visit_voxels(view.type, [&](auto voxel) {
        value_range_kernel<decltype(voxel)><<<blocks, kThreads, 0, stream>>>(view, range);
    });
    check_launch("the kernel of the value range");
}

}  // namespace escn::cuda
