// The kernels, run block by block on the host with one thread a block.
#pragma once

#include "cuda/work.h"

namespace escn::cuda::host {

void reduce_slices(const SliceReduction& work);
void add_slab(const SlabSum& work);
void finish_input(const InputFinish& work);
void find_mask_box(const uint8_t* mask, const Size& size, MaskBox* box);
void start_value_range(ValueRange* range);
void add_value_range(const ScanView& view, ValueRange* range);
void write_labels(const LabelSweep& work);

}  // namespace escn::cuda::host
