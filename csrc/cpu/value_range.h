// What values a scan holds.
#pragma once

#include "cpu/rows.h"
#include "cpu/view.h"

namespace escn::cpu {

// Smallest and largest finite value, infinite (min > max) where none is, and how many are not finite.
RowRange value_range(const ScanView& scan, int threads);

}  // namespace escn::cpu
