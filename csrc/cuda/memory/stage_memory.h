// The buffers that a stage keeps in the arena, and their places.
#pragma once

#include <cstddef>
#include <vector>

#include "cuda/memory/arena_plan.h"
#include "cuda/memory/slab_plan.h"
#include "geometry/triple.h"

namespace escn::cuda {

// The steps of a stage, in which its buffers live. After a buffer's last step, its memory is reused.
enum StageStep { kStream, kNetwork, kResult };

inline constexpr int kSlots = 2;  // one is filled while the other is processed

struct StageNeeds {
    Size region = {};  // voxels of the scan that the input depends on
    std::size_t voxel_bytes = 0;
    bool scan_on_device = false;  // the scan is read in place, without slabs
    Size sums_size = {};          // of the input, without padding
    std::size_t taps_bytes = 0;
    std::size_t input_bytes = 0;
    std::size_t activation_bytes = 0;
    std::size_t output_bytes = 0;
    std::size_t label_slice_bytes = 0;  // 0: labels do not pass through slabs
    int64_t label_slices = 0;
    std::size_t report_bytes = 0;
};

struct StageMemory {
    std::vector<ArenaBuffer> buffers;
    std::vector<std::size_t> offsets;  // of the buffers
    std::size_t bytes = 0;             // of the arena
    int64_t scan_slab_slices = 1;
    std::size_t scan_slab_bytes = 0;
    int64_t label_slab_slices = 1;
    std::size_t label_slab_bytes = 0;

    // Offsets in the arena.
    std::size_t scan_slab[kSlots] = {};
    std::size_t label_slab[kSlots] = {};
    std::size_t partial = 0, sums = 0, taps = 0, input = 0, activation = 0, output = 0, report = 0;
};

StageMemory plan_stage_memory(const StageNeeds& needs);

}  // namespace escn::cuda
