// How sure the segmentation network is of each label, from its probabilities.
#include "cuda/kernels/kernels.h"
#include "cuda/kernels/launch.h"
#include "resample/confidence.h"
#include "resample/half.h"

namespace escn::cuda {
namespace {

constexpr int32_t kThreads = 128;

// The sums of a block, which has so few voxels that 32 bits hold them.
struct BlockSums {
    unsigned voxels, confidence, faces, doubtful_faces, unsound;
};

template <typename Probability>
__device__ __forceinline__ Confidence confidence_at(const Probability* probabilities, int64_t class_size,
                                                    int32_t channels) {
    Ranking ranking = first_rank(load(probabilities));
    for (int32_t c = 1; c < channels; ++c) {
        ranking = next_rank(ranking, c, load(probabilities + c * class_size));
    }
    return confidence_of(ranking);
}

__device__ __forceinline__ void add_face(BlockSums* sums, const Confidence& a, const Confidence& b) {
    if (a.label == b.label) return;
    const bool doubtful = a.doubt != kClear && b.doubt != kClear;
    for (const int32_t label : {a.label, b.label}) {
        if (label == 0) continue;
        atomicAdd(&sums[label].faces, 1u);
        if (doubtful) atomicAdd(&sums[label].doubtful_faces, 1u);
    }
}

// One thread per voxel, which also looks at the next one along each axis.
template <typename Probability>
__global__ void __launch_bounds__(kThreads) add_confidence_kernel(ConfidenceSweep work) {
    extern __shared__ BlockSums sums[];
    const auto thread = static_cast<int32_t>(threadIdx.x);
    for (int32_t c = thread; c < work.channels; c += kThreads) sums[c] = {};
    __syncthreads();

    const int64_t row = work.probabilities_size[2];
    const int64_t plane = work.probabilities_size[1] * row;
    const int64_t class_size = work.probabilities_size[0] * plane;
    const int64_t z = work.start[0] + blockIdx.z;
    const int64_t y = work.start[1] + blockIdx.y;
    const int64_t x = work.start[2] + static_cast<int64_t>(blockIdx.x) * kThreads + thread;
    if (x < work.stop[2]) {
        const auto* here = static_cast<const Probability*>(work.probabilities) + z * plane + y * row + x;
        const Confidence own = confidence_at(here, class_size, work.channels);
        if (own.label != 0) {
            atomicAdd(&sums[own.label].voxels, 1u);
            atomicAdd(&sums[own.label].confidence, static_cast<unsigned>(own.probability));
        }
        if (own.doubt == kUnsound) atomicAdd(&sums[own.label].unsound, 1u);
        if (x + 1 < work.stop[2]) add_face(sums, own, confidence_at(here + 1, class_size, work.channels));
        if (y + 1 < work.stop[1]) add_face(sums, own, confidence_at(here + row, class_size, work.channels));
        if (z + 1 < work.stop[0]) add_face(sums, own, confidence_at(here + plane, class_size, work.channels));
    }
    __syncthreads();
    for (int32_t c = thread; c < work.channels; c += kThreads) {
        ConfidenceSums& all = work.sums[c];
        if (sums[c].voxels != 0) {
            atomicAdd(&all.voxels, static_cast<unsigned long long>(sums[c].voxels));
            atomicAdd(&all.confidence, static_cast<unsigned long long>(sums[c].confidence));
        }
        if (sums[c].faces != 0) {
            atomicAdd(&all.faces, static_cast<unsigned long long>(sums[c].faces));
            atomicAdd(&all.doubtful_faces, static_cast<unsigned long long>(sums[c].doubtful_faces));
        }
        if (sums[c].unsound != 0) atomicAdd(&all.unsound, static_cast<unsigned long long>(sums[c].unsound));
    }
}

}  // namespace

void add_confidence(const ConfidenceSweep& work, cudaStream_t stream) {
    const Size size = {work.stop[0] - work.start[0], work.stop[1] - work.start[1],
                       work.stop[2] - work.start[2]};
    if (size[0] == 0 || size[1] == 0 || size[2] == 0) return;
    const dim3 grid(blocks_for(size[2], kThreads), static_cast<unsigned>(size[1]),
                    static_cast<unsigned>(size[0]));
    const std::size_t shared = static_cast<std::size_t>(work.channels) * sizeof(BlockSums);
    if (work.type == FloatType::kFloat16) {
        add_confidence_kernel<Half><<<grid, kThreads, shared, stream>>>(work);
    } else {
        add_confidence_kernel<float><<<grid, kThreads, shared, stream>>>(work);
    }
    check_launch("the kernel of the confidence");
}

}  // namespace escn::cuda
