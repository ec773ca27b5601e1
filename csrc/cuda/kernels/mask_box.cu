// The smallest box that holds a mask.
#include <algorithm>

#include "cuda/kernels/kernels.h"
#include "cuda/kernels/launch.h"
#include "resample/mask_box.h"

namespace escn::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kWarp = 32;

__global__ void start_box_kernel(MaskBox* box) {
    box->first[threadIdx.x] = INT32_MAX;
    box->last[threadIdx.x] = -1;
}

// One warp per row: its lanes search along x, and one of them reports the row.
__global__ void __launch_bounds__(kThreads) mask_box_kernel(const uint8_t* mask, Size size, MaskBox* box) {
    __shared__ MaskBox block_box;
    if (threadIdx.x < 3) {
        block_box.first[threadIdx.x] = INT32_MAX;
        block_box.last[threadIdx.x] = -1;
    }
    __syncthreads();
    const unsigned lane = threadIdx.x % kWarp;
    const int64_t rows = size[0] * size[1];
    const int64_t warps = static_cast<int64_t>(gridDim.x) * (kThreads / kWarp);
    for (int64_t row = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) / kWarp; row < rows;
         row += warps) {
        IndexRange found;
        for (int64_t x = lane; x < size[2]; x += kWarp) {
            if (mask[row * size[2] + x] != 0) include(found, x);
        }
        for (unsigned offset = kWarp / 2; offset > 0; offset /= 2) {
            const int64_t first = __shfl_xor_sync(0xffffffffu, static_cast<long long>(found.first), offset);
            const int64_t last = __shfl_xor_sync(0xffffffffu, static_cast<long long>(found.last), offset);
            if (first < found.first) found.first = first;
            if (last > found.last) found.last = last;
        }
        if (lane == 0 && found.last >= 0) {
            const int32_t corner[3] = {static_cast<int32_t>(row / size[1]),
                                       static_cast<int32_t>(row % size[1]), 0};
            for (int axis = 0; axis < 2; ++axis) {
                atomicMin(&block_box.first[axis], corner[axis]);
                atomicMax(&block_box.last[axis], corner[axis]);
            }
            atomicMin(&block_box.first[2], static_cast<int32_t>(found.first));
            atomicMax(&block_box.last[2], static_cast<int32_t>(found.last));
        }
    }
    __syncthreads();
    if (threadIdx.x < 3 && block_box.last[threadIdx.x] >= 0) {
        atomicMin(&box->first[threadIdx.x], block_box.first[threadIdx.x]);
        atomicMax(&box->last[threadIdx.x], block_box.last[threadIdx.x]);
    }
}

}  // namespace

void find_mask_box(const uint8_t* mask, const Size& size, MaskBox* box, cudaStream_t stream) {
    constexpr unsigned kMostBlocks = 512;  // enough to fill any GPU; each block takes many rows
    const unsigned blocks = std::min(blocks_for(size[0] * size[1] * kWarp, kThreads), kMostBlocks);
    start_box_kernel<<<1, 3, 0, stream>>>(box);
    mask_box_kernel<<<blocks, kThreads, 0, stream>>>(mask, size, box);
    check_launch("the kernel of the mask's box");
}

}  // namespace escn::cuda
