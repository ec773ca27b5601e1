// The two staging buffers of a run, and the events that say when each may be used again.
#pragma once

#include <array>
#include <cstddef>

#include "cuda/driver/stream.h"
#include "cuda/memory/stage_memory.h"

namespace escn::cuda {

struct Slot {
    std::byte* staging = nullptr;  // host memory that the device copies from and to
    Event copied;                  // the copies are done with staging and with the device's slab
    Event computed;                // the kernels are done with the device's slab
};

using Slots = std::array<Slot, kSlots>;

}  // namespace escn::cuda
