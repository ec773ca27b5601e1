// The instruction set whose inner loops this process runs. They are compiled once per set.
#pragma once

namespace escn::cpu {

enum class InstructionSet { portable, avx2, avx512 };

// The best set that is compiled in and that the processor has. ESCN_SIMD can limit it.
InstructionSet instruction_set();

// Comma-separated names of the sets that are compiled in.
const char* compiled_instruction_sets();

}  // namespace escn::cpu
