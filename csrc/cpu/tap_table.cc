#include "cpu/tap_table.h"

#include <algorithm>

namespace escn::cpu {

TapTable::TapTable(const TapAxis& axis)
    : first(axis.output_size),
      count(axis.output_size),
      inside(axis.output_size),
      stride(largest_tap_count(axis)) {
    weights.resize(static_cast<size_t>(stride) * axis.output_size);
    const int32_t radius = gaussian_radius(axis.sigma);
    std::vector<float> gaussian(2 * static_cast<size_t>(radius) + 1);
    gaussian_taps(axis.sigma, radius, gaussian.data());
    int32_t stop = 0;
    begin = axis.image_size;
    for (int32_t o = 0; o < axis.output_size; ++o) {
        const TapRange range = tap_range(axis, o);
        first[o] = range.first;
        count[o] = range.count;
        inside[o] = fill_tap_row(axis, o, range, gaussian.data(), &weights[static_cast<size_t>(stride) * o]);
        if (range.count == 0) continue;
        begin = std::min(begin, range.first);
        stop = std::max(stop, range.first + range.count);
    }
    begin = std::min(begin, stop);
    extent = stop - begin;
    for (int32_t o = 0; o < axis.output_size; ++o) {
        if (count[o] > 0) first[o] -= begin;
    }
}

}  // namespace escn::cpu
