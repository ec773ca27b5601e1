// Linear resize of the probabilities and argmax in one sweep: the resized probabilities never exist.
#include "cuda/kernels.h"
#include "cuda/label_sweep.h"
#include "cuda/launch.h"

namespace escn::cuda {
namespace {

template <typename Probability>
__global__ void __launch_bounds__(kLabelThreads) write_labels_kernel(LabelSweep work, int32_t widest) {
    extern __shared__ float rows[];
    __shared__ unsigned block_counts[kMostLabels];
    const auto thread = static_cast<int32_t>(threadIdx.x);
    for (int32_t c = thread; c < work.channels; c += kLabelThreads) block_counts[c] = 0;

    const LabelTile tile = label_tile(work, blockIdx.z, blockIdx.y, static_cast<int32_t>(blockIdx.x));
    blend_source_rows<Probability>(work, tile, widest, thread, kLabelThreads, rows);
    __syncthreads();

    const int32_t x = tile.begin + thread * kLabelsPerThread;
    const int32_t count = tile.end - x < kLabelsPerThread ? tile.end - x : kLabelsPerThread;
    uint8_t* out = work.labels + tile.z * work.strides[0] + tile.y * work.strides[1] + x * work.strides[2];
    const bool whole = (work.padded ? count > 0 : count == kLabelsPerThread) && work.strides[2] == 1 &&
                       reinterpret_cast<uintptr_t>(out) % 4 == 0;
    uint32_t packed = 0;
#pragma unroll
    for (int32_t i = 0; i < kLabelsPerThread; ++i) {
        if (i >= count) break;
        const int32_t label = label_at(work, tile, widest, x + i, rows);
        atomicAdd(&block_counts[label], 1u);
        if (!whole) out[i * work.strides[2]] = static_cast<uint8_t>(label);
        packed |= static_cast<uint32_t>(label) << (8 * i);
    }
    if (whole) *reinterpret_cast<uint32_t*>(out) = packed;
    __syncthreads();
    for (int32_t c = thread; c < work.channels; c += kLabelThreads) {
        if (block_counts[c] != 0)
            atomicAdd(&work.counts[c], static_cast<unsigned long long>(block_counts[c]));
    }
}

}  // namespace

void write_labels(const LabelSweep& work, cudaStream_t stream) {
    const dim3 grid(blocks_for(work.size[2], kLabelTile), static_cast<unsigned>(work.size[1]),
                    static_cast<unsigned>(work.size[0]));
    const int32_t widest = widest_label_tile(work);
    const std::size_t shared = static_cast<std::size_t>(work.channels) * widest * sizeof(float);
    if (work.element == Element::kFloat16) {
        write_labels_kernel<Half><<<grid, kLabelThreads, shared, stream>>>(work, widest);
    } else {
        write_labels_kernel<float><<<grid, kLabelThreads, shared, stream>>>(work, widest);
    }
    check_launch("the kernel of the labels");
}

}  // namespace escn::cuda
