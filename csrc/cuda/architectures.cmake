# Which GPUs nvcc builds for: by default, and as CMake was told.

# Turing to Blackwell, as far as `nvcc` goes; newer GPUs, sm_100 too, compile the PTX on first use. Empty where
# `nvcc` does not answer.
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

# CMAKE_CUDA_ARCHITECTURES, where it is a word for a set the set, which CMake keeps elsewhere once CUDA is enabled.
function(escn_built_architectures result)
  set(architectures ${CMAKE_CUDA_ARCHITECTURES})
  if(architectures MATCHES "^(native|all|all-major)$")
    string(TOUPPER ${architectures} word)
    string(REPLACE "-" "_" word ${word})
    set(architectures ${CMAKE_CUDA_ARCHITECTURES_${word}})
    if(NOT architectures MATCHES "^[0-9]")  # empty, or what the search for GPUs printed
      message(FATAL_ERROR "CMAKE_CUDA_ARCHITECTURES is ${CMAKE_CUDA_ARCHITECTURES}, but there is no GPU here to "
        "build for; name its architecture, for instance 90-real.")
    endif()
  endif()
  set(${result} ${architectures} PARENT_SCOPE)
endfunction()
