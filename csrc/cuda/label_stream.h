// Labels on their way from the probabilities to the caller's label map, slab by slab.
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

// Writes the voxels of the target that lie in the plan's crop. `sweep` says all but begin, size, labels and
// strides. On return all labels of a host target are written; those of a device target are queued.
void stream_labels(Device& device, LabelSweep sweep, const SegmentationPlan& plan, const LabelTarget& target,
                   const StageMemory& memory, std::byte* arena, Slots& slots, cpu::ThreadPool& pool);

// Bytes of a row of the crop's voxels in a label slab: a multiple of 4, for 32-bit stores.
int64_t label_pitch(const SegmentationPlan& plan);

// The voxels of the image that lie in the crop.
Size labelled_size(const SegmentationPlan& plan);

}  // namespace escn::cuda
