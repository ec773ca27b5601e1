// Copies a scan to the device slab by slab. While the host gathers one slab, the previous slab is copied and
// kernels process the slab before that.
#pragma once

#include <functional>

#include "cpu/thread_pool.h"
#include "cuda/driver/device.h"
#include "cuda/kernels/work.h"
#include "cuda/memory/stage_memory.h"
#include "cuda/slots.h"

namespace escn::cuda {

struct ScanSource {
    ScanView view;
    bool on_device = false;
};

// The part of a scan that begins at `begin` and has `size` voxels.
struct Region {
    Index begin;
    Size size;
};

// Queues kernels for slices [slab.first, slab.first + slab.count) of the region; `view` holds these slices.
using SlabWork = std::function<void(const ScanView& view, const Slab& slab)>;

// Calls `work` for each slab in ascending order. A scan on the device is read in place.
void stream_scan(Device& device, const ScanSource& scan, const Region& region, const StageMemory& memory,
                 std::byte* arena, Slots& slots, cpu::ThreadPool& pool, const SlabWork& work);

}  // namespace escn::cuda
