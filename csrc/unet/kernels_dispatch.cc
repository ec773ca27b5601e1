#include "cpu/instruction_set.h"
#include "unet/kernels.h"

namespace escn::unet {

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

}  // namespace escn::unet
