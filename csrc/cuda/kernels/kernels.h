// Launchers of the kernels. Each queues its work on `stream` and throws CudaError if it cannot.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/kernels/work.h"

namespace escn::cuda {

void reduce_slices(const SliceReduction& work, cudaStream_t stream);
void add_slab(const SlabSum& work, cudaStream_t stream);
void finish_input(const InputFinish& work, cudaStream_t stream);
void find_mask_box(const uint8_t* mask, const Size& size, MaskBox* box, cudaStream_t stream);
void start_value_summary(EncodedSummary* summary, cudaStream_t stream);
// Adds the voxels of `view`; the histogram has every `step`-th row.
void add_value_summary(const ScanView& view, int64_t step, EncodedSummary* summary, cudaStream_t stream);
void add_confidence(const ConfidenceSweep& work, cudaStream_t stream);
void write_labels(const LabelSweep& work, cudaStream_t stream);

}  // namespace escn::cuda
