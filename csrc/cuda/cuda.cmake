# The GPU code, built with CUDA if nvcc is found. CMakeLists.txt includes this file after it adds the target
# _core. Sets ESCN_CUDA_BUILD (toolkit and architectures; empty without CUDA), ESCN_CUDA_REASON (why it is
# empty) and ESCN_CUDA_TEXT (the CUDA part of the status line).

include(csrc/cuda/architectures.cmake)

set(ESCN_CUDA AUTO CACHE STRING "Build the CUDA core: AUTO (where nvcc is found), ON (fail without it) or OFF")
set_property(CACHE ESCN_CUDA PROPERTY STRINGS AUTO ON OFF)
option(ESCN_CUDA_WERROR "Treat nvcc's warnings as errors" OFF)

# Code that needs no GPU: the plans of its memory, and the CUDA status of the build and the machine.
add_library(escn_device OBJECT
  csrc/cuda/driver/runs_on.cc
  csrc/cuda/driver/status_problem.cc
  csrc/cuda/memory/arena_plan.cc
  csrc/cuda/memory/slab_plan.cc
  csrc/cuda/memory/stage_memory.cc
)
target_link_libraries(_core PRIVATE escn_device)
list(APPEND ESCN_TARGETS escn_device)

# Only in builds with CUDA: the GPU pipeline, its bindings, and the kernels.
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
  csrc/cuda/kernels/value_summary.cc
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
  csrc/cuda/kernels/confidence.cu
  csrc/cuda/kernels/labels.cu
  csrc/cuda/kernels/mask_box.cu
  csrc/cuda/kernels/resample.cu
  csrc/cuda/kernels/value_summary.cu
)

set(ESCN_CUDA_BUILD "")
set(ESCN_CUDA_REASON "")
if(ESCN_CUDA STREQUAL "OFF")
  set(ESCN_CUDA_REASON "ESCN_CUDA=OFF")
else()
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    # The toolkit's usual directory is not on PATH. The environment names nvcc, because check_language does
    # not test a compiler that CMAKE_CUDA_COMPILER names.
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

  # No fused multiply-add, as on the CPU, so that both give the same label for every voxel. The relaxed
  # constexpr lets kernels call the constexpr operator[] of Triple, a std::array.
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
  # Static, so that the module loads on machines without CUDA or with another version of it.
  target_link_libraries(_core PRIVATE escn_kernels CUDA::cudart_static)
endif()
message(STATUS "${ESCN_CUDA_TEXT}")
