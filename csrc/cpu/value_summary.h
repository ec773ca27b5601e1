// Extremes and histogram of a scan's values.
#pragma once

#include "cpu/view.h"
#include "resample/value_summary.h"

namespace escn::cpu {

ValueSummary value_summary(const ScanView& scan, int threads);

}  // namespace escn::cpu
