#include "cpu/instruction_set.h"
#include "cpu/rows.h"

namespace escn::cpu {

RowFunctions rows_portable();
RowFunctions rows_avx2();
RowFunctions rows_avx512();

namespace {

RowFunctions choose() {
    switch (instruction_set()) {
#ifdef ESCN_AVX512
        case InstructionSet::avx512:
            return rows_avx512();
#endif
#ifdef ESCN_AVX2
        case InstructionSet::avx2:
            return rows_avx2();
#endif
        default:
            return rows_portable();
    }
}

}  // namespace

const RowFunctions& row_functions() {
    static const RowFunctions functions = choose();
    return functions;
}

}  // namespace escn::cpu
