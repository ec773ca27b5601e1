// Linear resize of the probabilities and argmax in one sweep. The resized probabilities are never stored.
#include <string>

#include "cuda/kernels/kernels.h"
#include "cuda/kernels/launch.h"
#include "resample/half.h"
#include "resample/label.h"
#include "resample/linear.h"

namespace escn::cuda {
namespace {

constexpr int32_t kThreads = 128;
constexpr int32_t kTile = kThreads * kLabelsPerThread;

// Up to kTile consecutive voxels of one output row, and the source columns under them.
struct Tile {
    int64_t z, y;
    int32_t begin, end;  // voxels of the row, counted from LabelSweep::begin
    int32_t source_first, source_count;
};

// An upper bound for the source columns under a tile.
int32_t widest_tile(const LabelSweep& work) {
    const double scale =
        static_cast<double>(work.probabilities_size[2]) / static_cast<double>(work.crop_size[2]);
    const auto reach = static_cast<int64_t>(scale * kTile) + 4;
    return static_cast<int32_t>(reach < work.probabilities_size[2] ? reach : work.probabilities_size[2]);
}

__device__ __forceinline__ LinearTap tap_at(const LabelSweep& work, int axis, int64_t index) {
    return linear_tap(static_cast<int32_t>(work.begin[axis] + index),
                      static_cast<int32_t>(work.probabilities_size[axis]),
                      static_cast<int32_t>(work.crop_size[axis]));
}

__device__ __forceinline__ Tile tile_at(const LabelSweep& work, int64_t z, int64_t y, int32_t tile) {
    const int32_t begin = tile * kTile;
    const auto width = static_cast<int32_t>(work.size[2]);
    const int32_t end = begin + kTile < width ? begin + kTile : width;
    const int32_t first = tap_at(work, 2, begin).left;
    return {z, y, begin, end, first, tap_at(work, 2, end - 1).right + 1 - first};
}

// First half: interpolates each channel's source row along y, then along z, as on the CPU. `rows` is
// [channels, widest].
template <typename Probability>
__device__ __forceinline__ void blend_source_rows(const LabelSweep& work, const Tile& tile, int32_t widest,
                                                  int32_t thread, float* rows) {
    const LinearTap z = tap_at(work, 0, tile.z);
    const LinearTap y = tap_at(work, 1, tile.y);
    const int64_t row = work.probabilities_size[2];
    const int64_t plane = work.probabilities_size[1] * row;
    const auto* source = static_cast<const Probability*>(work.probabilities) + tile.source_first;
    for (int32_t c = 0; c < work.channels; ++c, source += work.probabilities_size[0] * plane) {
        const Probability* front_left = source + z.left * plane + y.left * row;
        const Probability* front_right = source + z.left * plane + y.right * row;
        const Probability* back_left = source + z.right * plane + y.left * row;
        const Probability* back_right = source + z.right * plane + y.right * row;
        for (int32_t x = thread; x < tile.source_count; x += kThreads) {
            const float front =
                blend(load(front_left + x), load(front_right + x), y.left_weight, y.right_weight);
            const float back =
                blend(load(back_left + x), load(back_right + x), y.left_weight, y.right_weight);
            rows[c * widest + x] = blend(front, back, z.left_weight, z.right_weight);
        }
    }
}

// Second half: interpolates along x and finds the label. `x` counts from LabelSweep::begin.
__device__ __forceinline__ int32_t label_at(const LabelSweep& work, const Tile& tile, int32_t widest,
                                            int32_t x, const float* rows) {
    const LinearTap tap = tap_at(work, 2, x);
    const float* left = rows + (tap.left - tile.source_first);
    const float* right = rows + (tap.right - tile.source_first);
    Argmax best = first_class(blend(*left, *right, tap.left_weight, tap.right_weight));
    for (int32_t c = 1; c < work.channels; ++c) {
        best = next_class(best, c,
                          blend(left[c * widest], right[c * widest], tap.left_weight, tap.right_weight));
    }
    return best.label;
}

template <typename Probability>
__global__ void __launch_bounds__(kThreads) write_labels_kernel(LabelSweep work, int32_t widest) {
    extern __shared__ float rows[];
    __shared__ unsigned block_counts[kMostLabels];
    const auto thread = static_cast<int32_t>(threadIdx.x);
    for (int32_t c = thread; c < work.channels; c += kThreads) block_counts[c] = 0;

    const Tile tile = tile_at(work, blockIdx.z, blockIdx.y, static_cast<int32_t>(blockIdx.x));
    blend_source_rows<Probability>(work, tile, widest, thread, rows);
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
    for (int32_t c = thread; c < work.channels; c += kThreads) {
        if (block_counts[c] != 0)
            atomicAdd(&work.counts[c], static_cast<unsigned long long>(block_counts[c]));
    }
}

// The dynamic shared memory of a block: one row of a tile per label. The counts are in static shared memory.
std::size_t shared_bytes(const LabelSweep& work, int32_t widest) {
    constexpr std::size_t kCounts = (kMostLabels * sizeof(unsigned) + 15) / 16 * 16;
    const std::size_t rows = static_cast<std::size_t>(work.channels) * widest * sizeof(float);
    if (rows + kCounts <= kSharedBytes) return rows;
    throw CudaError("A GPU block has no room for " + std::to_string(work.channels) + " labels of " +
                    std::to_string(widest) + " voxels each; use device=\"cpu\".");
}

}  // namespace

void write_labels(const LabelSweep& work, cudaStream_t stream) {
    const dim3 grid(blocks_for(work.size[2], kTile), static_cast<unsigned>(work.size[1]),
                    static_cast<unsigned>(work.size[0]));
    const int32_t widest = widest_tile(work);
    const std::size_t shared = shared_bytes(work, widest);
    if (work.type == FloatType::kFloat16) {
        write_labels_kernel<Half><<<grid, kThreads, shared, stream>>>(work, widest);
    } else {
        write_labels_kernel<float><<<grid, kThreads, shared, stream>>>(work, widest);
    }
    check_launch("the kernel of the labels");
}

}  // namespace escn::cuda
