// Products of small matrices, with the sums in registers. Compiled once per instruction set.
#pragma once

#include <cstdint>

#include "network/lanes.h"

namespace escn::network {
namespace {

// Rows per block. The sums of a row are two vectors. These leave registers for the factors, of the 32 with
// AVX-512 and 16 without.
#if ESCN_LANES == 16
constexpr int kRows = 12;
#else
constexpr int kRows = 6;
#endif

// The left factor: `segments` pieces of `depth` columns; row r of piece s begins at pieces[s][r * stride].
struct Left {
    const float* const* pieces;
    int32_t segments;
    int32_t depth;
    int64_t stride;
};

// out[r] = left[r] times right, for ROWS rows from `row` on and VECTORS vectors of columns. STRIDE is
// the stride of `left`, or 0 if that is unknown at compile time. A known stride needs no registers
// for its multiples.
template <int ROWS, int VECTORS, int STRIDE>
void multiply_rows(const Left& left, int64_t row, const float* right, float* out, int64_t out_stride) {
    const int64_t stride = STRIDE ? STRIDE : left.stride;
    Vector sums[ROWS][VECTORS];
    ESCN_UNROLL
    for (int r = 0; r < ROWS; ++r) {
        ESCN_UNROLL
        for (int v = 0; v < VECTORS; ++v) sums[r][v] = splat(0.0f);
    }
    for (int32_t s = 0; s < left.segments; ++s) {
        const float* piece = left.pieces[s] + row * stride;
        for (int32_t k = 0; k < left.depth; ++k, right += VECTORS * kLanes) {
            Vector factors[VECTORS];
            ESCN_UNROLL
            for (int v = 0; v < VECTORS; ++v) factors[v] = load(right + v * kLanes);
            ESCN_UNROLL
            for (int r = 0; r < ROWS; ++r) {
                const Vector value = splat(piece[r * stride + k]);
                ESCN_UNROLL
                for (int v = 0; v < VECTORS; ++v) sums[r][v] += value * factors[v];
            }
        }
    }
    ESCN_UNROLL
    for (int r = 0; r < ROWS; ++r) {
        ESCN_UNROLL
        for (int v = 0; v < VECTORS; ++v) store(out + r * out_stride + v * kLanes, sums[r][v]);
    }
}

// The same for any number of rows, in pieces of about equal size.
template <int VECTORS, int STRIDE>
void multiply(const Left& left, int64_t rows, const float* right, float* out, int64_t out_stride) {
    using MultiplyRows = void (*)(const Left&, int64_t, const float*, float*, int64_t);
    static constexpr MultiplyRows of_size[] = {
        nullptr,
        multiply_rows<1, VECTORS, STRIDE>,
        multiply_rows<2, VECTORS, STRIDE>,
        multiply_rows<3, VECTORS, STRIDE>,
        multiply_rows<4, VECTORS, STRIDE>,
        multiply_rows<5, VECTORS, STRIDE>,
        multiply_rows<6, VECTORS, STRIDE>,
#if ESCN_LANES == 16
        multiply_rows<7, VECTORS, STRIDE>,
        multiply_rows<8, VECTORS, STRIDE>,
        multiply_rows<9, VECTORS, STRIDE>,
        multiply_rows<10, VECTORS, STRIDE>,
        multiply_rows<11, VECTORS, STRIDE>,
        multiply_rows<12, VECTORS, STRIDE>,
#endif
    };
    if (rows <= kRows) return of_size[rows](left, 0, right, out, out_stride);
    const int64_t pieces = (rows + kRows - 1) / kRows, size = rows / pieces, larger = rows % pieces;
    for (int64_t piece = 0, row = 0; piece < pieces; ++piece) {
        const int64_t count = piece < larger ? size + 1 : size;
        of_size[count](left, row, right, out + row * out_stride, out_stride);
        row += count;
    }
}

}  // namespace
}  // namespace escn::network
