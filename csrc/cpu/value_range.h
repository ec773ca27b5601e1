// The range of a scan's values.
#pragma once

#include "cpu/rows.h"
#include "cpu/view.h"

namespace escn::cpu {

// Smallest and largest finite value, and the number of values that are not finite. If no value is finite, min
// is infinity and max is -infinity.
RowRange value_range(const ScanView& scan, int threads);

}  // namespace escn::cpu
