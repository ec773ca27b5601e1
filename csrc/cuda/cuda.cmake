# The GPU path, with CUDA where there is an nvcc. Included by the main CMakeLists.txt once the target _core exists.
# Sets ESCN_CUDA_BUILD (toolkit and architectures, or nothing), ESCN_CUDA_REASON (why nothing) and ESCN_CUDA_TEXT.

include(csrc/cuda/architectures.cmake)

set(ESCN_CUDA AUTO CACHE STRING "Build the CUDA core: AUTO (where nvcc is found), ON (fail without it) or OFF")
set_property(CACHE ESCN_CUDA PROPERTY STRINGS AUTO ON OFF)
option(ESCN_CUDA_WERROR "Treat nvcc's warnings as errors" OFF)

# What no GPU is needed for: plans of its memory, and what can be said of the CUDA at hand.
add_library(escn_device OBJECT
  csrc/cuda/driver/runs_on.cc
  csrc/cuda/driver/status_problem.cc
  csrc/cuda/memory/arena_plan.cc
  csrc/cuda/memory/slab_plan.cc
  csrc/cuda/memory/stage_memory.cc
)
target_link_libraries(_core PRIVATE escn_device)
list(APPEND ESCN_TARGETS escn_device)

# What only a build with CUDA has: the way of a scan through the GPU, its bindings, and the kernels.
set(ESCN_GPU_SOURCES
  csrc/bindings/register_arena.cc
  csrc/bindings/register_device_block.cc
  csrc/bindings/register_device_pipeline.cc
  csrc/cpu/strided_copy.cc
  csrc/cuda/driver/check.cc
  csrc/cuda/driver/device.cc
  csrc/cuda/driver/device_memory.cc
  csrc/cuda/driver/status.cc
  csrc/cuda/driver/stream.cc
  csrc/cuda/kernels/value_range.cc
  csrc/cuda/label_stream.cc
  csrc/cuda/memory/arena.cc
  csrc/cuda/memory/column_tiles.cc
  csrc/cuda/memory/packed_taps.cc
  csrc/cuda/network_alone.cc
  csrc/cuda/network_runner.cc
  csrc/cuda/network_tensors.cc
  csrc/cuda/pipeline.cc
  csrc/cuda/scan_stream.cc
)
set(ESCN_KERNELS
  csrc/cuda/kernels/labels.cu
  csrc/cuda/kernels/mask_box.cu
  csrc/cuda/kernels/resample.cu
  csrc/cuda/kernels/value_range.cu
)

set(ESCN_CUDA_BUILD "")
set(ESCN_CUDA_REASON "")
if(ESCN_CUDA STREQUAL "OFF")
  set(ESCN_CUDA_REASON "ESCN_CUDA=OFF")
else()
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    # The toolkit's usual place is on no PATH. By the environment, for check_language tries no compiler that is set.
    find_program(ESCN_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
    if(ESCN_NVCC)
      set(ENV{CUDACXX} "${ESCN_NVCC}")
    endif()
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(ESCN_CUDA_REASON "no working nvcc was found")
  else()
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
      escn_default_architectures("${CMAKE_CUDA_COMPILER}" ESCN_DEFAULT_ARCHITECTURES)
      if(ESCN_DEFAULT_ARCHITECTURES)
        set(CMAKE_CUDA_ARCHITECTURES ${ESCN_DEFAULT_ARCHITECTURES})
      endif()
    endif()
    enable_language(CUDA)
    find_package(CUDAToolkit)
    if(NOT TARGET CUDA::cudart_static)
      set(ESCN_CUDA_REASON "nvcc was found, but not the static CUDA runtime library")
    endif()
  endif()
endif()
if(ESCN_CUDA_REASON AND ESCN_CUDA STREQUAL "ON")
  message(FATAL_ERROR
    "ESCN_CUDA=ON, but ${ESCN_CUDA_REASON}; install the CUDA toolkit 12 or newer, or set CUDACXX.")
endif()

if(ESCN_CUDA_REASON)
  target_sources(escn_device PRIVATE csrc/cuda/driver/without_cuda.cc)
  target_compile_definitions(escn_device PRIVATE ESCN_CUDA_REASON="${ESCN_CUDA_REASON}")
  set(ESCN_CUDA_TEXT "CUDA none (${ESCN_CUDA_REASON}): for GPUs install the CUDA toolkit 12 or newer and build again")
else()
  escn_built_architectures(ESCN_CUDA_ARCHITECTURES)
  list(JOIN ESCN_CUDA_ARCHITECTURES " " ESCN_CUDA_ARCHITECTURES)
  set(ESCN_CUDA_BUILD "${CMAKE_CUDA_COMPILER_VERSION} for ${ESCN_CUDA_ARCHITECTURES}")
  set(ESCN_CUDA_TEXT "CUDA ${ESCN_CUDA_BUILD}")

  # As on the CPU, no fused multiply-add: labels then agree to the voxel. Triple is std::array, whose operator[] is
  # constexpr.
  add_library(escn_kernels OBJECT ${ESCN_KERNELS})
  target_include_directories(escn_kernels PRIVATE csrc)
  target_compile_features(escn_kernels PRIVATE cuda_std_17)
  target_compile_options(escn_kernels PRIVATE --fmad=false --expt-relaxed-constexpr)
  if(ESCN_CUDA_WERROR)
    target_compile_options(escn_kernels PRIVATE --Werror=all-warnings -Xcompiler=-Wall,-Wextra)
  endif()
  set_target_properties(escn_kernels PROPERTIES
    POSITION_INDEPENDENT_CODE ON CUDA_VISIBILITY_PRESET hidden)

  target_sources(_core PRIVATE ${ESCN_GPU_SOURCES})
  target_compile_definitions(_core PRIVATE ESCN_WITH_CUDA ESCN_CUDA_ARCHITECTURES="${ESCN_CUDA_ARCHITECTURES}")
  target_include_directories(_core SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  # Static: the module loads on machines without CUDA, or with another version of it.
  target_link_libraries(_core PRIVATE escn_kernels CUDA::cudart_static)
endif()
message(STATUS "${ESCN_CUDA_TEXT}")
