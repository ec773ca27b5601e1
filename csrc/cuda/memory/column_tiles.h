// The columns of a network input, cut so that the image columns under each part fit a block's shared memory.
#pragma once

#include <vector>

#include "cpu/tap_table.h"
#include "cuda/kernels/work.h"

namespace escn::cuda {

// Tiles in ascending order with all columns of the operator. Throws std::invalid_argument where a single
// column spans more image columns than any GPU's shared memory holds.
std::vector<ColumnTile> plan_column_tiles(const cpu::TapTable& columns);

}  // namespace escn::cuda
