// What a scan's values say about its unit: extremes, and a histogram in bins as fine as tissues differ in HU.
#pragma once

#include <float.h>
#include <math.h>

#include <array>
#include <cstdint>
#include <numeric>

#include "resample/host_device.h"

namespace escn {

// Bins of 10 from -3100, below the usual padding, to 1500, above most bone, and one bin on either side.
inline constexpr int32_t kFirstEdge = -3100;
inline constexpr int32_t kLastEdge = 1500;
inline constexpr int32_t kBinWidth = 10;
inline constexpr int32_t kValueBins = (kLastEdge - kFirstEdge) / kBinWidth + 2;

struct ValueSummary {
    double low;  // of the finite values; infinity if there are none
    double high;
    uint64_t nonfinite;
    std::array<uint64_t, kValueBins> counts;  // of the finite values in the counted rows
};

ESCN_HD bool is_finite(float value) { return value >= -FLT_MAX && value <= FLT_MAX; }

// The bin of a finite value.
ESCN_HD int32_t value_bin(float value) {
    if (value < kFirstEdge) return 0;
    if (value >= kLastEdge) return kValueBins - 1;
    return 1 + (static_cast<int32_t>(floorf(value)) - kFirstEdge) / kBinWidth;
}

// The histogram has every n-th row only, and so about a million voxels of a large scan. Slices of `rows` rows
// are not all counted at the same place.
inline int64_t rows_per_counted_row(int64_t voxels, int64_t rows) {
    constexpr int64_t kEnough = 1 << 20;
    int64_t step = voxels / kEnough + 1;
    while (std::gcd(step, rows) != 1) ++step;
    return step;
}

}  // namespace escn
