// What the emulated driver and runtime share.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>

namespace emulated {

// The driver's function of this name; nullptr if it has none.
void* driver_function(const char* name);

CUresult copy_on_device(void* to, const void* from, std::size_t bytes, cudaStream_t stream);

}  // namespace emulated
