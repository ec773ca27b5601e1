#include "cpu/instruction_set.h"
#include "network/kernels.h"

namespace escn::network {

Kernels kernels_portable();
Kernels kernels_avx2();
Kernels kernels_avx512();

namespace {

Kernels choose() {
    switch (cpu::instruction_set()) {
#ifdef ESCN_AVX512
        case cpu::InstructionSet::avx512:
            return kernels_avx512();
#endif
#ifdef ESCN_AVX2
        case cpu::InstructionSet::avx2:
            return kernels_avx2();
#endif
        default:
            return kernels_portable();
    }
}

}  // namespace

const Kernels& kernels() {
    static const Kernels chosen = choose();
    return chosen;
}

}  // namespace escn::network
