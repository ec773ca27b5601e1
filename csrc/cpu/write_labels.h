// Turns class probabilities at the network's spacing into a label map at the scan's spacing.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/view.h"
#include "geometry/segmentation_plan.h"

namespace escn::cpu {

// `probabilities` are (class, z, y, x), contiguous, of plan.input_size. Writes every voxel of `labels`: the
// argmax of the linearly resized probabilities inside the crop, zero outside. Returns voxels per class.
// Throws std::invalid_argument if the size of `labels` is not the plan's, or unless there are 1 to 255
// classes. `threads`: 0 for all cores.
std::vector<uint64_t> write_labels(const float* probabilities, int64_t classes, const SegmentationPlan& plan,
                                   const View<uint8_t>& labels, int threads);

}  // namespace escn::cpu
