#include "cpu/instruction_set.h"

#include <cstdlib>
#include <cstring>

namespace escn::cpu {

InstructionSet instruction_set() {
    // ESCN_SIMD names the highest instruction set to use, for tests and bug reports.
    const char* wanted = std::getenv("ESCN_SIMD");
    [[maybe_unused]] const bool portable = wanted && std::strcmp(wanted, "portable") == 0;
    [[maybe_unused]] const bool below_avx512 = portable || (wanted && std::strcmp(wanted, "avx2") == 0);
#ifdef ESCN_AVX512
    if (!below_avx512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        return InstructionSet::avx512;
    }
#endif
#ifdef ESCN_AVX2
    if (!portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma")) {
        return InstructionSet::avx2;
    }
#endif
    return InstructionSet::portable;
}

const char* compiled_instruction_sets() {
    return "portable"
#ifdef ESCN_AVX2
           ", avx2"
#endif
#ifdef ESCN_AVX512
           ", avx512"
#endif
        ;
}

}  // namespace escn::cpu
