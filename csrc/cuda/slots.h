// The two staging buffers of a run, and the events that tell when each may be reused.
#pragma once

#include <array>
#include <cstddef>

#include "cuda/driver/stream.h"
#include "cuda/memory/stage_memory.h"

namespace escn::cuda {

struct Slot {
    std::byte* staging = nullptr;  // host memory that the device copies from and to
    Event copied;                  // the copy between staging and the device's slab is done
    Event computed;                // the kernels that use the device's slab are done
};

using Slots = std::array<Slot, kSlots>;

}  // namespace escn::cuda
