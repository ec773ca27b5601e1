// What every kernel file needs for its launches.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "cuda/driver/check.h"

namespace escn::cuda {

inline constexpr std::size_t kSharedBytes = 48 * 1024;  // what every GPU gives a block by default

inline unsigned blocks_for(int64_t items, unsigned per_block) {
    return static_cast<unsigned>((items + per_block - 1) / per_block);
}

// Reports a bad launch configuration. The next synchronisation reports a fault of the running kernel.
inline void check_launch(const char* kernel) { check(cudaGetLastError(), kernel); }

}  // namespace escn::cuda
