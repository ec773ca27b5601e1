// ESCN_HD marks the functions that CPU loops and CUDA kernels share.
#pragma once

// Internal linkage gives each translation unit its own copy. Some units are compiled for newer processors,
// and the other units must not call their copies.
#if defined(__CUDACC__)
#define ESCN_HD static __host__ __device__ __forceinline__
#elif defined(__GNUC__)
#define ESCN_HD static inline __attribute__((always_inline))
#else
#define ESCN_HD static inline
#endif
