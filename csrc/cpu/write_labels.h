// From class probabilities at the network's spacing to a label map at the scan's.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/view.h"
#include "geometry/segmentation_plan.h"

namespace escn::cpu {

// `probabilities` (class, z, y, x), contiguous, of plan.input_size. Every voxel of `labels` is written: the
// argmax of the linearly resized probabilities inside the crop, zero outside. Returns voxels per class.
// Throws std::invalid_argument where the sizes are not the plan's. `threads`: 0 for all cores.
std::vector<uint64_t> write_labels(const float* probabilities, int64_t classes, const SegmentationPlan& plan,
                                   const View<uint8_t>& labels, int threads);

}  // namespace escn::cpu
