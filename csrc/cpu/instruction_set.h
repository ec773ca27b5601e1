// Which of the inner loops, compiled once per instruction set, this process runs.
#pragma once

namespace escn::cpu {

enum class InstructionSet { portable, avx2, avx512 };

// The best one that is compiled in and that the processor has.
InstructionSet instruction_set();

// Comma-separated names of those compiled in.
const char* compiled_instruction_sets();

}  // namespace escn::cpu
