// The place of each buffer of a run in the arena, planned from sizes and lifetimes alone, without a device.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace escn::cuda {

// Every address passed to TensorRT must be a multiple of 256 bytes.
inline constexpr std::size_t kArenaAlignment = 256;

struct ArenaBuffer {
    std::string name;
    std::size_t bytes;
    int first_step;  // first and last step of the run that use the buffer, both inclusive
    int last_step;
};

struct ArenaPlan {
    std::vector<std::size_t> offsets;  // in the order of the buffers
    std::size_t bytes = 0;
};

// Buffers whose lifetimes overlap never share a byte; other buffers may. Places the largest buffer first,
// each at the lowest offset that fits.
ArenaPlan plan_arena(const std::vector<ArenaBuffer>& buffers);

}  // namespace escn::cuda
