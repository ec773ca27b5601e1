// Splits the columns of a network's input into tiles whose image columns fit a block's shared memory.
#pragma once

#include <vector>

#include "cpu/tap_table.h"
#include "cuda/kernels/work.h"

namespace escn::cuda {

// Tiles in ascending order that hold all columns of the operator. Throws CudaError if a single
// column spans more image columns than fit the shared memory that every GPU has.
std::vector<ColumnTile> plan_column_tiles(const cpu::TapTable& columns);

}  // namespace escn::cuda
