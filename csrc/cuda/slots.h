// The two staging buffers of a run, and the marks that say when each may be used again.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "cuda/device.h"
#include "cuda/stage_memory.h"

namespace escn::cuda {

struct Slot {
    std::byte* staging = nullptr;    // host memory that the device copies from and to
    std::unique_ptr<Mark> copied;    // the copy lane is done with staging and with the device's slab
    std::unique_ptr<Mark> computed;  // the compute lane is done with the device's slab
};

using Slots = std::array<Slot, kSlots>;

}  // namespace escn::cuda
