# The CUDA core, where there is an nvcc. Included by the main CMakeLists.txt once the target _core exists.

set(ESCN_CUDA AUTO CACHE STRING "Build the CUDA core: AUTO (where nvcc is found), ON (fail without it) or OFF")
set_property(CACHE ESCN_CUDA PROPERTY STRINGS AUTO ON OFF)
option(ESCN_WERROR "Treat warnings of nvcc as errors" OFF)

# Sizes and offsets only: built, and tested, everywhere.
target_sources(_core PRIVATE
  csrc/cuda/arena.cc
  csrc/cuda/arena_plan.cc
  csrc/cuda/runs_on.cc
  csrc/cuda/slab_plan.cc
)

function(escn_find_cuda)
  set(ESCN_CUDA_MISSING "" PARENT_SCOPE)
  if(ESCN_CUDA STREQUAL "OFF")
    set(ESCN_CUDA_MISSING "ESCN_CUDA=OFF" PARENT_SCOPE)
    return()
  endif()
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    # The toolkit's usual place is on no PATH.
    find_program(ESCN_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
    if(ESCN_NVCC)
      set(CMAKE_CUDA_COMPILER "${ESCN_NVCC}" CACHE FILEPATH "CUDA compiler")
    endif()
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    set(ESCN_CUDA_MISSING "no working nvcc was found" PARENT_SCOPE)
  endif()
endfunction()

escn_find_cuda()
if(ESCN_CUDA_MISSING AND ESCN_CUDA STREQUAL "ON")
  message(FATAL_ERROR "ESCN_CUDA=ON, but ${ESCN_CUDA_MISSING}; install the CUDA toolkit 12 or newer, or set CUDACXX.")
endif()

if(ESCN_CUDA_MISSING)
  target_sources(_core PRIVATE csrc/cuda/status_without_cuda.cc)
  set(ESCN_BUILD_SUMMARY "efficientscn-trt: CPU only (${ESCN_CUDA_MISSING}). For GPUs install the CUDA toolkit 12 or newer, so that nvcc is found, and install this package again.")
else()
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    # Turing to Blackwell, as far as this nvcc goes; newer GPUs, sm_100 too, compile the PTX on first use.
    set(ESCN_CUDA_WANTED 75 80 86 89 90 120)
    execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-code OUTPUT_VARIABLE ESCN_NVCC_CODES ERROR_QUIET)
    set(CMAKE_CUDA_ARCHITECTURES "")
    foreach(architecture IN LISTS ESCN_CUDA_WANTED)
      if(ESCN_NVCC_CODES MATCHES "sm_${architecture}([^0-9]|$)")
        list(APPEND CMAKE_CUDA_ARCHITECTURES ${architecture}-real)
        if(architecture LESS_EQUAL 90)
          set(ESCN_CUDA_PTX ${architecture}-virtual)
        endif()
      endif()
    endforeach()
    list(APPEND CMAKE_CUDA_ARCHITECTURES ${ESCN_CUDA_PTX})
  endif()
  enable_language(CUDA)
  find_package(CUDAToolkit REQUIRED)

  # A library of its own, so that the module's C++ options do not reach nvcc.
  add_library(escn_kernels OBJECT
    csrc/cuda/finish.cu
    csrc/cuda/labels.cu
    csrc/cuda/mask_box.cu
    csrc/cuda/resample.cu
    csrc/cuda/value_range.cu
  )
  target_include_directories(escn_kernels PRIVATE csrc)
  target_compile_features(escn_kernels PRIVATE cxx_std_17 cuda_std_17)
  # Triple is std::array, whose constexpr operator[] kernels may then call.
  target_compile_options(escn_kernels PRIVATE --expt-relaxed-constexpr)
  set_target_properties(escn_kernels PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden)
  if(ESCN_WERROR)
    target_compile_options(escn_kernels PRIVATE --Werror=all-warnings)
  endif()

  list(JOIN CMAKE_CUDA_ARCHITECTURES " " ESCN_CUDA_ARCHITECTURE_TEXT)
  target_sources(_core PRIVATE
    $<TARGET_OBJECTS:escn_kernels>
    csrc/cuda/device.cc
    csrc/cuda/status.cc
  )
  target_compile_definitions(_core PRIVATE
    ESCN_WITH_CUDA ESCN_CUDA_ARCHITECTURES="${ESCN_CUDA_ARCHITECTURE_TEXT}")
  # Static: the module loads on machines without CUDA, or with another version of it.
  target_link_libraries(_core PRIVATE CUDA::cudart_static)
  set(ESCN_BUILD_SUMMARY "efficientscn-trt: CPU and CUDA ${CMAKE_CUDA_COMPILER_VERSION} for ${ESCN_CUDA_ARCHITECTURE_TEXT}.")
endif()

install(CODE "message(STATUS \"${ESCN_BUILD_SUMMARY}\")")
