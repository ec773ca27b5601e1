// Inner loops over contiguous rows, compiled once per instruction set. The set is chosen at run time.
#pragma once

#include <cstdint>

#include "resample/intensity.h"
#include "resample/taps.h"

namespace escn::cpu {

// Smallest and largest finite value, and the number of values that are not finite.
struct RowRange {
    double min;
    double max;
    int64_t nonfinite;
};

// out[i] = sum over k < count of weights[k] * in[k * tap_stride + i * stride]; strides are in elements,
// count > 0. Here and below, terms are added in the order of k, so that the result does not depend on the
// scan's memory order.
template <typename T>
using SumRows = void (*)(const T* in, int64_t tap_stride, int64_t stride, const float* weights, int32_t count,
                         int64_t size, float* out);

// out[c * out_stride + r] = in[r * in_stride + c * stride] for r < rows, c < columns.
template <typename T>
using Transpose = void (*)(const T* in, int64_t in_stride, int64_t stride, int64_t rows, int64_t columns,
                           float* out, int64_t out_stride);

// Adds a row to the range: finite values widen min and max, other values are counted.
template <typename T>
using FindRange = void (*)(const T* in, int64_t stride, int64_t size, RowRange* range);

template <typename T>
struct ScanRows {
    SumRows<T> sum;
    Transpose<T> transpose;
    FindRange<T> range;
};

struct RowFunctions {
    const char* instruction_set;
    ScanRows<uint8_t> uint8_rows;
    ScanRows<int16_t> int16_rows;
    ScanRows<uint16_t> uint16_rows;
    ScanRows<int32_t> int32_rows;
    ScanRows<float> float_rows;

    // Applies a banded operator to rows of `width` floats: row o of `out` is a weighted sum of rows of `in`.
    void (*apply_taps)(const float* in, int64_t in_stride, TapRows taps, int64_t size, int64_t width,
                       float* out, int64_t out_stride);

    // Converts sums of taps to network intensities, in place.
    void (*finish)(float* values, const float* inside_x, float inside_zy, float outside_hu, IntensityMap map,
                   int64_t size);

    // Settled labels (resample/label.h) of a row of voxels. The probability of class c for voxel i is
    // probabilities[c * class_stride + i].
    void (*settle)(const float* probabilities, int64_t class_stride, int32_t classes, int64_t size,
                   uint8_t* labels);

    // Confidence (resample/confidence.h) of a row of voxels, laid out as for `settle`.
    void (*judge)(const float* probabilities, int64_t class_stride, int32_t classes, int64_t size,
                  uint8_t* labels, uint8_t* doubts, uint16_t* confidences);

    // labels[i] = the label of all four rows where they agree, else kUnsettled.
    void (*agree)(const uint8_t* const rows[4], int64_t size, uint8_t* labels);

    // out[i] = four rows interpolated along y, then along z.
    void (*blend4)(const float* const rows[4], const float y_weights[2], const float z_weights[2],
                   int64_t size, float* out);

    // labels[i] = the class of the first maximum, interpolated between values i and i + 1. The values of
    // class c begin at values[c * class_stride].
    void (*label_between)(const float* values, int64_t class_stride, int32_t classes,
                          const float* left_weights, const float* right_weights, int64_t size,
                          uint8_t* labels);
};

const RowFunctions& row_functions();

template <typename T>
const ScanRows<T>& scan_rows(const RowFunctions& functions);

template <>
inline const ScanRows<uint8_t>& scan_rows(const RowFunctions& functions) {
    return functions.uint8_rows;
}
template <>
inline const ScanRows<int16_t>& scan_rows(const RowFunctions& functions) {
    return functions.int16_rows;
}
template <>
inline const ScanRows<uint16_t>& scan_rows(const RowFunctions& functions) {
    return functions.uint16_rows;
}
template <>
inline const ScanRows<int32_t>& scan_rows(const RowFunctions& functions) {
    return functions.int32_rows;
}
template <>
inline const ScanRows<float>& scan_rows(const RowFunctions& functions) {
    return functions.float_rows;
}

}  // namespace escn::cpu
