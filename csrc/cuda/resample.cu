// The banded operators of y and x on slices, then the one of z over slabs of them, then the network's input.
#include "cuda/half.h"
#include "cuda/kernels.h"
#include "cuda/launch.h"
#include "cuda/resample_sweep.h"
#include "cuda/visit_voxels.h"

namespace escn::cuda {
namespace {

constexpr unsigned kThreads = 128;

// One block: one slice, one output row, one tile of output columns.
template <typename Voxel>
__global__ void __launch_bounds__(kThreads) reduce_slices_kernel(SliceReduction work) {
    extern __shared__ float window[];
    const ColumnTile tile = work.tiles[blockIdx.x];
    const auto thread = static_cast<int32_t>(threadIdx.x);
    sum_over_rows<Voxel>(work, tile, blockIdx.y, blockIdx.z, thread, kThreads, window);
    __syncthreads();
    sum_over_columns(work, tile, blockIdx.y, blockIdx.z, thread, kThreads, window);
}

__global__ void __launch_bounds__(kThreads) add_slab_kernel(SlabSum work) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i < work.plane) add_slab_to(work, work.out_first + static_cast<int32_t>(blockIdx.y), i);
}

template <typename Stored>
__global__ void __launch_bounds__(kThreads) finish_input_kernel(InputFinish work) {
    const int64_t plane = work.input_size[1] * work.input_size[2];
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i >= plane) return;
    const int64_t z = blockIdx.y;
    store(static_cast<Stored*>(work.input) + z * plane + i, finished_voxel(work, z, i));
}

}  // namespace

void reduce_slices(const SliceReduction& work, cudaStream_t stream) {
    const dim3 grid(static_cast<unsigned>(work.tile_count), static_cast<unsigned>(work.out_rows),
                    static_cast<unsigned>(work.view.size[0]));
    const std::size_t shared = static_cast<std::size_t>(work.widest_tile) * sizeof(float);
    visit_voxels(work.view.type, [&](auto voxel) {
        reduce_slices_kernel<decltype(voxel)><<<grid, kThreads, shared, stream>>>(work);
    });
    check_launch("the kernel of the y and x operators");
}

void add_slab(const SlabSum& work, cudaStream_t stream) {
    const dim3 grid(blocks_for(work.plane, kThreads), static_cast<unsigned>(work.out_last - work.out_first));
    add_slab_kernel<<<grid, kThreads, 0, stream>>>(work);
    check_launch("the kernel of the z operator");
}

void finish_input(const InputFinish& work, cudaStream_t stream) {
    const dim3 grid(blocks_for(work.input_size[1] * work.input_size[2], kThreads),
                    static_cast<unsigned>(work.input_size[0]));
    if (work.element == Element::kFloat16) {
        finish_input_kernel<Half><<<grid, kThreads, 0, stream>>>(work);
    } else {
        finish_input_kernel<float><<<grid, kThreads, 0, stream>>>(work);
    }
    check_launch("the kernel of intensity and padding");
}

}  // namespace escn::cuda
