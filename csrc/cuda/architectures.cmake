# The GPU architectures that nvcc builds for: the default, and the value of CMAKE_CUDA_ARCHITECTURES.

# The architectures from Turing to Blackwell that `nvcc` supports; empty if `nvcc` does not run. Newer GPUs,
# and sm_100, compile the PTX on first use.
function(escn_default_architectures nvcc result)
  execute_process(COMMAND ${nvcc} --list-gpu-code OUTPUT_VARIABLE codes ERROR_QUIET)
  set(wanted 75 80 86 89 90 120)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    list(INSERT wanted 3 87)  # Jetson Orin
  endif()
  set(architectures "")
  set(ptx "")
  foreach(architecture IN LISTS wanted)
    if(codes MATCHES "sm_${architecture}([^0-9]|$)")
      list(APPEND architectures ${architecture}-real)
      if(architecture LESS_EQUAL 90)
        set(ptx ${architecture}-virtual)
      endif()
    endif()
  endforeach()
  set(${result} ${architectures} ${ptx} PARENT_SCOPE)
endfunction()

# CMAKE_CUDA_ARCHITECTURES, with native, all and all-major replaced by the architectures that they name. Once
# CUDA is enabled, CMake keeps these in variables such as CMAKE_CUDA_ARCHITECTURES_NATIVE.
function(escn_built_architectures result)
  set(architectures ${CMAKE_CUDA_ARCHITECTURES})
  if(architectures MATCHES "^(native|all|all-major)$")
    string(TOUPPER ${architectures} word)
    string(REPLACE "-" "_" word ${word})
    set(architectures ${CMAKE_CUDA_ARCHITECTURES_${word}})
    if(NOT architectures MATCHES "^[0-9]")  # empty, or the output of the search for GPUs
      message(FATAL_ERROR "CMAKE_CUDA_ARCHITECTURES is ${CMAKE_CUDA_ARCHITECTURES}, but this machine has no GPU "
        "to build for; name an architecture, for instance 90-real.")
    endif()
  endif()
  set(${result} ${architectures} PARENT_SCOPE)
endfunction()
