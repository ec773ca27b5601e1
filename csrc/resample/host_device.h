// Arithmetic that a CPU sweep and a CUDA kernel share is written once, in functions marked ESCN_HD.
#pragma once

// Internal linkage keeps each translation unit's code its own: some are compiled for newer processors than
// the one that may run the rest.
#if defined(__CUDACC__)
#define ESCN_HD static __host__ __device__ __forceinline__
#elif defined(__GNUC__)
#define ESCN_HD static inline __attribute__((always_inline))
#else
#define ESCN_HD static inline
#endif
