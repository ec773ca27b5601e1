// Extremes and histogram of a scan's finite voxels, and the number of voxels that are not finite.
#include "cuda/kernels/kernels.h"
#include "cuda/kernels/launch.h"
#include "cuda/kernels/value_summary.h"
#include "cuda/kernels/visit_voxels.h"

namespace escn::cuda {
namespace {

constexpr unsigned kThreads = 256;

__global__ void start_value_summary_kernel(EncodedSummary* summary) {
    summary->low = kNoLow;
    summary->high = kNoHigh;
}

template <typename Voxel>
__global__ void __launch_bounds__(kThreads)
    value_summary_kernel(ScanView view, int64_t step, EncodedSummary* summary) {
    __shared__ EncodedSummary block;
    if (threadIdx.x == 0) {
        block.low = kNoLow;
        block.high = kNoHigh;
        block.nonfinite = 0;
    }
    for (int bin = threadIdx.x; bin < kValueBins; bin += kThreads) block.counts[bin] = 0;
    __syncthreads();
    uint32_t low = kNoLow, high = kNoHigh;
    unsigned long long nonfinite = 0;
    for (int64_t row = blockIdx.x; row < view.size[0] * view.size[1]; row += gridDim.x) {
        const Voxel* voxels = static_cast<const Voxel*>(view.data) + row / view.size[1] * view.stride[0] +
                              row % view.size[1] * view.stride[1];
        const bool counted = row % step == 0;
        for (int64_t x = threadIdx.x; x < view.size[2]; x += kThreads) {
            const auto value = static_cast<float>(voxels[x * view.stride[2]]);
            if (is_finite(value)) {
                low = min(low, ordered_code(value));
                high = max(high, ordered_code(value));
                if (counted) atomicAdd(&block.counts[value_bin(value)], 1u);
            } else {
                ++nonfinite;
            }
        }
    }
    atomicMin(&block.low, low);
    atomicMax(&block.high, high);
    if (nonfinite != 0) atomicAdd(&block.nonfinite, nonfinite);
    __syncthreads();
    if (threadIdx.x == 0) {
        atomicMin(&summary->low, block.low);
        atomicMax(&summary->high, block.high);
        if (block.nonfinite != 0) atomicAdd(&summary->nonfinite, block.nonfinite);
    }
    for (int bin = threadIdx.x; bin < kValueBins; bin += kThreads) {
        if (block.counts[bin] != 0) atomicAdd(&summary->counts[bin], block.counts[bin]);
    }
}

}  // namespace

void start_value_summary(EncodedSummary* summary, cudaStream_t stream) {
    start_value_summary_kernel<<<1, 1, 0, stream>>>(summary);
    check_launch("the kernel that starts the summary of values");
}

void add_value_summary(const ScanView& view, int64_t step, EncodedSummary* summary, cudaStream_t stream) {
    constexpr int64_t kMostBlocks = 1024;  // enough to fill any GPU; each block takes many rows
    const int64_t rows = view.size[0] * view.size[1];
    const auto blocks = static_cast<unsigned>(rows < kMostBlocks ? rows : kMostBlocks);
    visit_voxels(view.type, [&](auto voxel) {
        value_summary_kernel<decltype(voxel)><<<blocks, kThreads, 0, stream>>>(view, step, summary);
    });
    check_launch("the kernel of the summary of values");
}

}  // namespace escn::cuda
