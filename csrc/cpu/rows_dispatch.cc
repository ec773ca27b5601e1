#include <cstdlib>
#include <cstring>

#include "cpu/rows.h"

namespace escn::cpu {

RowFunctions rows_portable();
#ifdef ESCN_AVX2
RowFunctions rows_avx2();
#endif
#ifdef ESCN_AVX512
RowFunctions rows_avx512();
#endif

namespace {

RowFunctions choose() {
    // For tests and for reports of trouble: the name of an instruction set to stay at or below.
    const char* wanted = std::getenv("ESCN_SIMD");
    [[maybe_unused]] const bool portable = wanted && std::strcmp(wanted, "portable") == 0;
    [[maybe_unused]] const bool below_avx512 = portable || (wanted && std::strcmp(wanted, "avx2") == 0);
#ifdef ESCN_AVX512
    if (!below_avx512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        return rows_avx512();
    }
#endif
#ifdef ESCN_AVX2
    if (!portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma")) {
        return rows_avx2();
    }
#endif
    return rows_portable();
}

}  // namespace

const RowFunctions& row_functions() {
    static const RowFunctions functions = choose();
    return functions;
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
