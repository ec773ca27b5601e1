// Writes labels from the probabilities to the caller's label map, slab by slab.
#pragma once

#include "cpu/thread_pool.h"
#include "cpu/view.h"
#include "cuda/driver/device.h"
#include "cuda/kernels/work.h"
#include "cuda/memory/stage_memory.h"
#include "cuda/slots.h"
#include "geometry/segmentation_plan.h"

namespace escn::cuda {

struct LabelTarget {
    cpu::View<uint8_t> view;
    bool on_device = false;
};

// Writes the target's voxels inside the plan's crop. The caller fills `sweep` except begin, size, labels,
// strides and padded. On return, the labels of a host target are written; the kernels that write a device
// target are only queued.
void stream_labels(Device& device, LabelSweep sweep, const SegmentationPlan& plan, const LabelTarget& target,
                   const StageMemory& memory, std::byte* arena, Slots& slots, cpu::ThreadPool& pool);

// Bytes per row of a label slab, rounded up to a multiple of 4 for 32-bit stores.
int64_t label_pitch(const SegmentationPlan& plan);

// The size of the part of the image that lies in the crop.
Size labelled_size(const SegmentationPlan& plan);

}  // namespace escn::cuda
