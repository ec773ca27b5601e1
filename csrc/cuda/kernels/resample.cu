// Applies the y and x operators to slices, then the z operator to slabs, then writes the network's input.
#include "cuda/kernels/kernels.h"
#include "cuda/kernels/launch.h"
#include "cuda/kernels/visit_voxels.h"
#include "resample/half.h"

namespace escn::cuda {
namespace {

constexpr int32_t kThreads = 128;

// First half: the sums over y for the image columns of a tile. Neighbouring threads read neighbouring voxels.
template <typename Voxel>
__device__ __forceinline__ void sum_over_rows(const SliceReduction& work, const ColumnTile& tile,
                                              int32_t out_row, int64_t slice, int32_t thread, float* window) {
    const int32_t count = work.rows.count[out_row];
    const float* weights = work.rows.weights + static_cast<int64_t>(out_row) * work.rows.stride;
    const Index stride = work.view.stride;
    const Voxel* voxels = static_cast<const Voxel*>(work.view.data) + slice * stride[0] +
                          work.rows.first[out_row] * stride[1] + tile.in_first * stride[2];
    for (int32_t column = thread; column < tile.in_count; column += kThreads) {
        const Voxel* voxel = voxels + column * stride[2];
        float sum = 0.0f;
        for (int32_t k = 0; k < count; ++k) {
            sum = add_tap(sum, weights[k], static_cast<float>(voxel[k * stride[1]]));
        }
        window[column] = sum;
    }
}

// Second half: the sums over x, from the window that the first half wrote.
__device__ __forceinline__ void sum_over_columns(const SliceReduction& work, const ColumnTile& tile,
                                                 int32_t out_row, int64_t slice, int32_t thread,
                                                 const float* window) {
    float* partial = work.partial + (slice * work.out_rows + out_row) * work.out_columns;
    for (int32_t i = thread; i < tile.out_count; i += kThreads) {
        const int32_t out_column = tile.out_first + i;
        const int32_t first = work.columns.first[out_column] - tile.in_first;
        const float* weights = work.columns.weights + static_cast<int64_t>(out_column) * work.columns.stride;
        float sum = 0.0f;
        for (int32_t k = 0; k < work.columns.count[out_column]; ++k) {
            sum = add_tap(sum, weights[k], window[first + k]);
        }
        partial[out_column] = sum;
    }
}

// The network's input at plane z and offset `in_plane` in the plane.
__device__ __forceinline__ float finished_voxel(const InputFinish& work, int64_t z, int64_t in_plane) {
    const int64_t from_z = z - work.pad_before[0];
    const int64_t from_y = in_plane / work.input_size[2] - work.pad_before[1];
    const int64_t from_x = in_plane % work.input_size[2] - work.pad_before[2];
    const Size size = work.sums_size;
    const bool padding =
        from_z < 0 || from_z >= size[0] || from_y < 0 || from_y >= size[1] || from_x < 0 || from_x >= size[2];
    if (padding) return network_intensity(work.intensity, work.padding_hu);
    const float hu = add_outside(work.sums[(from_z * size[1] + from_y) * size[2] + from_x], work.outside_hu,
                                 work.inside[0][from_z] * work.inside[1][from_y], work.inside[2][from_x]);
    return network_intensity(work.intensity, hu);
}

// One block per slice, output row and tile of output columns.
template <typename Voxel>
__global__ void __launch_bounds__(kThreads) reduce_slices_kernel(SliceReduction work) {
    extern __shared__ float window[];
    const ColumnTile tile = work.tiles[blockIdx.x];
    const auto thread = static_cast<int32_t>(threadIdx.x);
    sum_over_rows<Voxel>(work, tile, blockIdx.y, blockIdx.z, thread, window);
    __syncthreads();
    sum_over_columns(work, tile, blockIdx.y, blockIdx.z, thread, window);
}

__global__ void __launch_bounds__(kThreads) add_slab_kernel(SlabSum work) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    if (i >= work.plane) return;
    const int32_t o = work.out_first + static_cast<int32_t>(blockIdx.y);
    const int64_t first = work.taps.first[o] - work.first_slice;  // relative to the slab's first slice
    const int64_t stop = first + work.taps.count[o];
    const float* weights = work.taps.weights + static_cast<int64_t>(o) * work.taps.stride;
    float sum = work.sums[o * work.plane + i];
    for (int64_t slice = first < 0 ? 0 : first; slice < stop && slice < work.slices; ++slice) {
        sum = add_tap(sum, weights[slice - first], work.partial[slice * work.plane + i]);
    }
    work.sums[o * work.plane + i] = sum;
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
    if (work.type == FloatType::kFloat16) {
        finish_input_kernel<Half><<<grid, kThreads, 0, stream>>>(work);
    } else {
        finish_input_kernel<float><<<grid, kThreads, 0, stream>>>(work);
    }
    check_launch("the kernel of intensity and padding");
}

}  // namespace escn::cuda
