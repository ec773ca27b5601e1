// Compiled once per instruction set: ESCN_ROWS names the function that returns this set's row functions.
// Nothing here may be inline with external linkage, because the linker could then use this set's
// instructions for another set's code.
#include "cpu/rows.h"

#include <float.h>
#include <math.h>

#include "resample/confidence.h"
#include "resample/label.h"
#include "resample/linear.h"

namespace escn::cpu {
namespace {

// The sums of a strip stay in registers during the loop over the taps.
template <int N, typename T>
ESCN_HD void sum_strip(const T* in, int64_t tap_stride, const float* weights, int32_t count, float* out) {
    float sums[N];
    for (int i = 0; i < N; ++i) sums[i] = add_tap(0.0f, weights[0], static_cast<float>(in[i]));
    for (int32_t k = 1; k < count; ++k) {
        const T* row = in + k * tap_stride;
        const float weight = weights[k];
        for (int i = 0; i < N; ++i) sums[i] = add_tap(sums[i], weight, static_cast<float>(row[i]));
    }
    for (int i = 0; i < N; ++i) out[i] = sums[i];
}

template <typename T>
void sum_rows(const T* in, int64_t tap_stride, int64_t stride, const float* weights, int32_t count,
              int64_t size, float* out) {
    int64_t i = 0;
    if (stride == 1) {
        for (; i + 32 <= size; i += 32) sum_strip<32>(in + i, tap_stride, weights, count, out + i);
        for (; i + 16 <= size; i += 16) sum_strip<16>(in + i, tap_stride, weights, count, out + i);
        for (; i + 8 <= size; i += 8) sum_strip<8>(in + i, tap_stride, weights, count, out + i);
    }
    for (; i < size; ++i) {
        float sum = 0.0f;
        const T* column = in + i * stride;
        for (int32_t k = 0; k < count; ++k) {
            sum = add_tap(sum, weights[k], static_cast<float>(column[k * tap_stride]));
        }
        out[i] = sum;
    }
}

template <typename T>
void transpose(const T* in, int64_t in_stride, int64_t stride, int64_t rows, int64_t columns, float* out,
               int64_t out_stride) {
    constexpr int64_t side = 8;
    int64_t r = 0;
    if (stride == 1) {
        for (; r + side <= rows; r += side) {
            int64_t c = 0;
            for (; c + side <= columns; c += side) {
                const T* from = in + r * in_stride + c;
                float* to = out + c * out_stride + r;
                for (int64_t i = 0; i < side; ++i) {
                    for (int64_t k = 0; k < side; ++k) {
                        to[i * out_stride + k] = static_cast<float>(from[k * in_stride + i]);
                    }
                }
            }
            for (; c < columns; ++c) {
                for (int64_t k = r; k < r + side; ++k) {
                    out[c * out_stride + k] = static_cast<float>(in[k * in_stride + c]);
                }
            }
        }
    }
    for (; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
            out[c * out_stride + r] = static_cast<float>(in[r * in_stride + c * stride]);
        }
    }
}

void apply_taps(const float* in, int64_t in_stride, TapRows taps, int64_t size, int64_t width, float* out,
                int64_t out_stride) {
    for (int64_t o = 0; o < size; ++o) {
        float* row = out + o * out_stride;
        if (taps.count[o] == 0) {
            for (int64_t i = 0; i < width; ++i) row[i] = 0.0f;
            continue;
        }
        sum_rows(in + taps.first[o] * in_stride, in_stride, 1, taps.weights + o * taps.stride, taps.count[o],
                 width, row);
    }
}

void finish(float* values, const float* inside_x, float inside_zy, float outside_hu, IntensityMap map,
            int64_t size) {
    for (int64_t i = 0; i < size; ++i) {
        values[i] = network_intensity(map, add_outside(values[i], outside_hu, inside_zy, inside_x[i]));
    }
}

template <typename T>
void find_range(const T* in, int64_t stride, int64_t size, RowRange* range) {
    T min = in[0];
    T max = in[0];
    if (stride == 1) {
        for (int64_t i = 0; i < size; ++i) {
            min = in[i] < min ? in[i] : min;
            max = in[i] > max ? in[i] : max;
        }
    } else {
        for (int64_t i = 0; i < size; ++i) {
            const T value = in[i * stride];
            min = value < min ? value : min;
            max = value > max ? value : max;
        }
    }
    if (min < range->min) range->min = min;
    if (max > range->max) range->max = max;
}

// The ranges of the values i, i + N, i + 2 N, ... of a row, for i < N. They are found at once.
template <int N>
struct Ranges {
    float min[N];
    float max[N];
    int32_t nonfinite[N];
};

template <int N>
ESCN_HD void widen(Ranges<N>& all, int i, float value) {
    const bool finite = value >= -FLT_MAX && value <= FLT_MAX;
    const float low = finite ? value : HUGE_VALF;
    const float high = finite ? value : -HUGE_VALF;
    all.min[i] = low < all.min[i] ? low : all.min[i];
    all.max[i] = high > all.max[i] ? high : all.max[i];
    all.nonfinite[i] += finite ? 0 : 1;
}

template <int N>
ESCN_HD void add_ranges(const float* in, int64_t stride, int64_t size, RowRange* range) {
    Ranges<N> all;
    for (int i = 0; i < N; ++i) {
        all.min[i] = HUGE_VALF;
        all.max[i] = -HUGE_VALF;
        all.nonfinite[i] = 0;
    }
    for (int64_t begin = 0; begin < size; begin += N) {
        for (int i = 0; i < N; ++i) widen(all, i, in[(begin + i) * stride]);
    }
    for (int i = 0; i < N; ++i) {
        if (all.min[i] < range->min) range->min = all.min[i];
        if (all.max[i] > range->max) range->max = all.max[i];
        range->nonfinite += all.nonfinite[i];
    }
}

template <>
void find_range(const float* in, int64_t stride, int64_t size, RowRange* range) {
    const int64_t strips = stride == 1 ? size / 32 * 32 : 0;
    add_ranges<32>(in, 1, strips, range);
    add_ranges<1>(in + strips * stride, stride, size - strips, range);
}

// The rankings of N voxels.
template <int N>
struct Rankings {
    float largest[N];
    float second[N];
    int32_t label[N];
    int32_t within_unit[N];
};

template <int N>
ESCN_HD Ranking ranking_at(const Rankings<N>& all, int i) {
    return {all.largest[i], all.second[i], all.label[i], all.within_unit[i]};
}

template <int N>
ESCN_HD void set_ranking(Rankings<N>& all, int i, Ranking ranking) {
    all.largest[i] = ranking.largest;
    all.second[i] = ranking.second;
    all.label[i] = ranking.label;
    all.within_unit[i] = ranking.within_unit;
}

template <int N>
ESCN_HD Rankings<N> rank_strip(const float* probabilities, int64_t class_stride, int32_t classes) {
    Rankings<N> all;
    for (int i = 0; i < N; ++i) set_ranking(all, i, first_rank(probabilities[i]));
    for (int32_t c = 1; c < classes; ++c) {
        const float* row = probabilities + c * class_stride;
        for (int i = 0; i < N; ++i) set_ranking(all, i, next_rank(ranking_at(all, i), c, row[i]));
    }
    return all;
}

template <int N>
ESCN_HD void settle_strip(const float* probabilities, int64_t class_stride, int32_t classes,
                          uint8_t* labels) {
    const Rankings<N> all = rank_strip<N>(probabilities, class_stride, classes);
    for (int i = 0; i < N; ++i) labels[i] = static_cast<uint8_t>(settled_label(ranking_at(all, i)));
}

void settle(const float* probabilities, int64_t class_stride, int32_t classes, int64_t size,
            uint8_t* labels) {
    int64_t i = 0;
    for (; i + 32 <= size; i += 32) settle_strip<32>(probabilities + i, class_stride, classes, labels + i);
    for (; i < size; ++i) settle_strip<1>(probabilities + i, class_stride, classes, labels + i);
}

template <int N>
ESCN_HD void judge_strip(const float* probabilities, int64_t class_stride, int32_t classes, uint8_t* labels,
                         uint8_t* doubts, uint16_t* confidences) {
    const Rankings<N> all = rank_strip<N>(probabilities, class_stride, classes);
    for (int i = 0; i < N; ++i) {
        const Confidence confidence = confidence_of(ranking_at(all, i));
        labels[i] = static_cast<uint8_t>(confidence.label);
        doubts[i] = static_cast<uint8_t>(confidence.doubt);
        confidences[i] = static_cast<uint16_t>(confidence.probability);
    }
}

void judge(const float* probabilities, int64_t class_stride, int32_t classes, int64_t size, uint8_t* labels,
           uint8_t* doubts, uint16_t* confidences) {
    int64_t i = 0;
    for (; i + 32 <= size; i += 32) {
        judge_strip<32>(probabilities + i, class_stride, classes, labels + i, doubts + i, confidences + i);
    }
    for (; i < size; ++i) {
        judge_strip<1>(probabilities + i, class_stride, classes, labels + i, doubts + i, confidences + i);
    }
}

void agree(const uint8_t* const rows[4], int64_t size, uint8_t* labels) {
    const uint8_t* a = rows[0];
    const uint8_t* b = rows[1];
    const uint8_t* c = rows[2];
    const uint8_t* d = rows[3];
    for (int64_t i = 0; i < size; ++i) {
        const int different = (a[i] ^ b[i]) | (a[i] ^ c[i]) | (a[i] ^ d[i]);
        labels[i] = static_cast<uint8_t>(different == 0 ? a[i] : kUnsettled);
    }
}

void blend4(const float* const rows[4], const float y_weights[2], const float z_weights[2], int64_t size,
            float* out) {
    const float* a = rows[0];
    const float* b = rows[1];
    const float* c = rows[2];
    const float* d = rows[3];
    for (int64_t i = 0; i < size; ++i) {
        const float front = blend(a[i], b[i], y_weights[0], y_weights[1]);
        const float back = blend(c[i], d[i], y_weights[0], y_weights[1]);
        out[i] = blend(front, back, z_weights[0], z_weights[1]);
    }
}

template <int N>
ESCN_HD void label_strip(const float* values, int64_t class_stride, int32_t classes,
                         const float* left_weights, const float* right_weights, uint8_t* labels) {
    float largest[N];
    int32_t label[N];
    for (int i = 0; i < N; ++i) {
        const Argmax argmax = first_class(blend(values[i], values[i + 1], left_weights[i], right_weights[i]));
        largest[i] = argmax.largest;
        label[i] = argmax.label;
    }
    for (int32_t c = 1; c < classes; ++c) {
        const float* row = values + c * class_stride;
        for (int i = 0; i < N; ++i) {
            const Argmax argmax = next_class({largest[i], label[i]}, c,
                                             blend(row[i], row[i + 1], left_weights[i], right_weights[i]));
            largest[i] = argmax.largest;
            label[i] = argmax.label;
        }
    }
    for (int i = 0; i < N; ++i) labels[i] = static_cast<uint8_t>(label[i]);
}

void label_between(const float* values, int64_t class_stride, int32_t classes, const float* left_weights,
                   const float* right_weights, int64_t size, uint8_t* labels) {
    int64_t i = 0;
    for (; i + 16 <= size; i += 16) {
        label_strip<16>(values + i, class_stride, classes, left_weights + i, right_weights + i, labels + i);
    }
    for (; i + 4 <= size; i += 4) {
        label_strip<4>(values + i, class_stride, classes, left_weights + i, right_weights + i, labels + i);
    }
    for (; i < size; ++i) {
        label_strip<1>(values + i, class_stride, classes, left_weights + i, right_weights + i, labels + i);
    }
}

template <typename T>
ScanRows<T> scan_functions() {
    return {&sum_rows<T>, &transpose<T>, &find_range<T>};
}

}  // namespace

RowFunctions ESCN_ROWS();
RowFunctions ESCN_ROWS() {
    return {ESCN_INSTRUCTION_SET,
            scan_functions<uint8_t>(),
            scan_functions<int16_t>(),
            scan_functions<uint16_t>(),
            scan_functions<int32_t>(),
            scan_functions<float>(),
            &apply_taps,
            &finish,
            &settle,
            &judge,
            &agree,
            &blend4,
            &label_between};
}

}  // namespace escn::cpu
