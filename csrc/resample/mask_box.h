// The smallest box around a mask.
#pragma once

#include <stdint.h>

#include "resample/host_device.h"

namespace escn {

// Inclusive range of indices along one axis; empty until `include` adds an index.
struct IndexRange {
    int64_t first = INT64_MAX;
    int64_t last = -1;
};

ESCN_HD void include(IndexRange& range, int64_t index) {
    if (index < range.first) range.first = index;
    if (index > range.last) range.last = index;
}

}  // namespace escn
