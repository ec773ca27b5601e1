#include "cuda/kernels/value_summary.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace escn::cuda {
namespace {

float decoded(uint32_t code) { return bits_float((code & 0x80000000u) != 0 ? code & 0x7fffffffu : ~code); }

}  // namespace

ValueSummary decoded(const EncodedSummary& summary) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    ValueSummary values = {infinity, -infinity, summary.nonfinite, {}};
    if (summary.low != kNoLow) {
        values.low = decoded(summary.low);
        values.high = decoded(summary.high);
    }
    std::copy(std::begin(summary.counts), std::end(summary.counts), values.counts.begin());
    return values;
}

}  // namespace escn::cuda
