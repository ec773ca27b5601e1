// What is known of each label of a label map: its size, its place, its HU, its connected pieces.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/view.h"

namespace escn::cpu {

// Of the HU; the median is the second.
inline constexpr std::array<double, 3> kPercentiles = {0.05, 0.5, 0.95};

struct LabelStatistics {
    uint64_t voxels = 0;
    Index first = {}, last = {};  // corners of the smallest box, inclusive
    Triple<double> centre = {};   // mean index
    uint64_t values = 0;          // HU that are finite; without any, what is said of them is 0
    double mean = 0;
    double deviation = 0;                                      // of a sample (n - 1); 0 for one value
    std::array<double, kPercentiles.size()> percentiles = {};  // linear between values, as in NumPy
    std::vector<uint64_t> pieces;                              // voxels of each, the largest first
};

// A label that is counted for both sides of the plane x = `middle` as well. A piece lies on the side of its
// centre, unless the plane leaves at least a quarter of it on each side; then the plane divides it.
struct Division {
    uint8_t label;
    double middle;
};

// Labels 1 to `highest`; then, with `division`, the side of lower x, and that of higher x. `labels` and
// `scan` have one size.
std::vector<LabelStatistics> label_statistics(const View<const uint8_t>& labels, const ScanView& scan,
                                              int64_t highest, const std::optional<Division>& division,
                                              int threads);

}  // namespace escn::cpu
