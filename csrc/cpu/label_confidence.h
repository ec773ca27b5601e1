// How sure the segmentation network is of each label, at the network's spacing.
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/network_voxels.h"

namespace escn::cpu {

// Of one label. What is said of the background is 0, but for `unsound`.
struct LabelConfidence {
    uint64_t voxels = 0;      // whose largest probability is that of the label
    uint64_t confidence = 0;  // the sum of these probabilities, in units of 1 / kOne (resample/confidence.h)
    uint64_t faces = 0;       // between such a voxel and one of another label
    uint64_t doubtful_faces = 0;  // those of two doubtful voxels
    uint64_t unsound = 0;         // voxels of the label with values that are no probabilities
};

// `probabilities` are (class, z, y, x), contiguous, of `size`; only the voxels of `box` count. Returns one
// for each class. Throws std::invalid_argument unless there are 1 to 255 classes. `threads`: 0 for all cores.
std::vector<LabelConfidence> label_confidence(const float* probabilities, int64_t classes, const Size& size,
                                              const VoxelBox& box, int threads);

}  // namespace escn::cpu
