#include "cuda/kernels/value_range.h"

#include <limits>

namespace escn::cuda {
namespace {

float decoded(uint32_t code) { return bits_float((code & 0x80000000u) != 0 ? code & 0x7fffffffu : ~code); }

}  // namespace

ValueRangeResult decoded(const ValueRange& range) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (range.low == kNoLow) return {infinity, -infinity, range.nonfinite};
    return {decoded(range.low), decoded(range.high), range.nonfinite};
}

}  // namespace escn::cuda
