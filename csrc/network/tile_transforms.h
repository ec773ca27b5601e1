// The transforms of F(4×4×4, 3×3×3): voxels to factors of products, and products to voxels. Each axis is
// transformed in turn.
#pragma once

#include <cstdint>

#include "network/kernels.h"
#include "network/lanes.h"

namespace escn::network {
namespace {

constexpr auto kA = static_cast<float>(kPoint), kB = static_cast<float>(1 / kPoint);
constexpr auto kA2 = static_cast<float>(kPoint * kPoint), kB2 = static_cast<float>(1 / (kPoint * kPoint));
constexpr auto kA3 = kA * kA2, kB3 = kB * kB2;

// How many columns ahead of their use inputs are fetched into the cache, where a group fills a line
constexpr int64_t kAhead = 4;

// Transformed inputs, [kParts][group of channels][tile][channel of the group].
struct Transformed {
    float* values;
    int64_t tiles;
    int64_t part;  // from one part to the next

    float* at(int32_t channel, int64_t tile) const {
        return values + (channel / kGroup * tiles + tile) * kGroup + channel % kGroup;
    }
};

// Six voxels along one axis to factors of products
template <typename Value>
constexpr void to_factors(const Value* d, Value* out) {
    const Value even_a = d[4] - d[2] * kB2, odd_a = d[3] - d[1] * kB2;
    const Value even_b = d[4] - d[2] * kA2, odd_b = d[3] - d[1] * kA2;
    out[0] = d[0] - d[2] * (kA2 + kB2) + d[4];
    out[1] = even_a + odd_a * kA;
    out[2] = even_a - odd_a * kA;
    out[3] = even_b + odd_b * kB;
    out[4] = even_b - odd_b * kB;
    out[5] = d[1] - d[3] * (kA2 + kB2) + d[5];
}

// Six products along one axis to four voxels
inline void to_voxels(const Vector* m, Vector* out) {
    const Vector sum_a = m[1] + m[2], difference_a = m[1] - m[2];
    const Vector sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    out[0] = m[0] + sum_a + sum_b;
    out[1] = difference_a * kA + difference_b * kB;
    out[2] = sum_a * kA2 + sum_b * kB2;
    out[3] = difference_a * kA3 + difference_b * kB3 + m[5];
}

inline void transform_fine(const Fine& fine, int32_t channels, const Tiles& tiles, const Transformed& to) {
    for (int32_t row = 0; row < tiles.rows; ++row) {
        const int64_t origin = kTile * (tiles.y + row) * fine.row + int64_t{kTile} * tiles.x * channels;
        for (int32_t c = 0; c < channels; c += kLanes) {
            Vector columns[kPoints][kPoints][kPoints];  // column x at x % kPoints, [z][y]
            const auto column = [&](int64_t x) {
                Vector along_z[kPoints][kPoints];
                ESCN_UNROLL
                for (int y = 0; y < kPoints; ++y) {
                    const int64_t at = origin + c + y * fine.row + x * channels;
                    Vector d[kPoints], out[kPoints];
                    ESCN_UNROLL
                    for (int z = 0; z < kPoints; ++z) {
                        if (c % kGroup == 0) prefetch(fine.planes[z] + at + kAhead * channels);
                        d[z] = load(fine.planes[z] + at);
                    }
                    to_factors(d, out);
                    ESCN_UNROLL
                    for (int z = 0; z < kPoints; ++z) along_z[z][y] = out[z];
                }
                ESCN_UNROLL
                for (int z = 0; z < kPoints; ++z) to_factors(along_z[z], columns[x % kPoints][z]);
            };
            column(0);
            column(1);
            float* out = to.at(c, int64_t{row} * tiles.columns);
            for (int64_t tile = 0; tile < tiles.columns; ++tile, out += kGroup) {
                for (int x = 2; x < kPoints; ++x) column(kTile * tile + x);
                for (int z = 0; z < kPoints; ++z) {
                    ESCN_UNROLL
                    for (int y = 0; y < kPoints; ++y) {
                        Vector d[kPoints], values[kPoints];
                        ESCN_UNROLL
                        for (int x = 0; x < kPoints; ++x) d[x] = columns[(kTile * tile + x) % kPoints][z][y];
                        to_factors(d, values);
                        ESCN_UNROLL
                        for (int x = 0; x < kPoints; ++x) {
                            store(out + ((z * kPoints + y) * kPoints + x) * to.part, values[x]);
                        }
                    }
                }
            }
        }
    }
}

// The factors of four voxels of the small tensor in the transformed inputs of a tile along one axis, where
// the small tensor has `size` voxels. Upsampling gives 3p/4 + q/4 and p/4 + 3q/4 between voxels p and q, and
// zeros beyond the edges.
struct CoarseFactors {
    float of[kPoints][4];

    constexpr CoarseFactors(int32_t tile, int32_t size) : of{} {
        for (int i = 0; i < 4; ++i) {
            // What the voxel i alone is upsampled to
            float d[kPoints] = {}, factors[kPoints] = {};
            for (int k = 0; k < kPoints; ++k) {
                const int32_t voxel = kTile * tile + k - 1;
                if (voxel < 0 || voxel >= 2 * size) continue;
                const float first = k % 2 == 0 ? 0.75f : 0.25f;
                if (i == k / 2) d[k] = first;
                if (i == k / 2 + 1) d[k] = 1 - first;
            }
            to_factors(d, factors);
            for (int point = 0; point < kPoints; ++point) of[point][i] = factors[point];
        }
    }
};

constexpr CoarseFactors kInside(1, 6);

inline Vector combine(const float* factors, const Vector* values) {
    return values[0] * factors[0] + values[1] * factors[1] + values[2] * factors[2] + values[3] * factors[3];
}

// Channel c of the small tensor becomes channel `to_channel` + c.
inline void transform_coarse(const Coarse& coarse, int32_t channels, int32_t to_channel, const Tiles& tiles,
                             const Transformed& to) {
    const CoarseFactors along_z(coarse.slab, coarse.z);
    const auto inside = [](int32_t index, int32_t size) {
        return index < 0 ? 0 : index < size ? index : size - 1;
    };
    for (int32_t row = 0; row < tiles.rows; ++row) {
        const int32_t y0 = 2 * (tiles.y + row) - 1, x0 = 2 * tiles.x - 1;
        const CoarseFactors along_y(tiles.y + row, coarse.y);
        int64_t rows[4];
        for (int32_t i = 0; i < 4; ++i) rows[i] = (inside(y0 + i, coarse.y) + 1) * coarse.row;
        for (int32_t c = 0; c < channels; c += kLanes) {
            Vector columns[4][kPoints][kPoints];  // column x at x % 4, [z][y]
            const auto column = [&](int32_t x) {
                const int64_t at = int64_t{inside(x0 + x, coarse.x) + 1} * channels + c;
                Vector d[kPoints][4];
                ESCN_UNROLL
                for (int y = 0; y < 4; ++y) {
                    Vector values[4];
                    ESCN_UNROLL
                    for (int z = 0; z < 4; ++z) values[z] = load(coarse.planes[z] + rows[y] + at);
                    ESCN_UNROLL
                    for (int z = 0; z < kPoints; ++z) d[z][y] = combine(along_z.of[z], values);
                }
                for (int z = 0; z < kPoints; ++z) {
                    ESCN_UNROLL
                    for (int y = 0; y < kPoints; ++y) columns[x % 4][z][y] = combine(along_y.of[y], d[z]);
                }
            };
            column(0);
            column(1);
            float* out = to.at(to_channel + c, int64_t{row} * tiles.columns);
            for (int32_t tile = 0; tile < tiles.columns; ++tile, out += kGroup) {
                const int32_t x = tiles.x + tile;
                const bool edge = x == 0 || 2 * x + 2 >= coarse.x;
                const CoarseFactors along_x = edge ? CoarseFactors(x, coarse.x) : kInside;
                column(2 * tile + 2);
                column(2 * tile + 3);
                for (int z = 0; z < kPoints; ++z) {
                    ESCN_UNROLL
                    for (int y = 0; y < kPoints; ++y) {
                        Vector d[4];
                        ESCN_UNROLL
                        for (int i = 0; i < 4; ++i) d[i] = columns[(2 * tile + i) % 4][z][y];
                        ESCN_UNROLL
                        for (int i = 0; i < kPoints; ++i) {
                            store(out + ((z * kPoints + y) * kPoints + i) * to.part,
                                  combine(along_x.of[i], d));
                        }
                    }
                }
            }
        }
    }
}

// Products of one index along z, `part` apart, to a square of products along z
inline void to_square(const float* products, int64_t part, float* square) {
    Vector along_x[kTile][kPoints];
    ESCN_UNROLL
    for (int x = 0; x < kPoints; ++x) {
        Vector m[kPoints], out[kTile];
        ESCN_UNROLL
        for (int y = 0; y < kPoints; ++y) m[y] = load(products + (kPoints * y + x) * part);
        to_voxels(m, out);
        ESCN_UNROLL
        for (int y = 0; y < kTile; ++y) along_x[y][x] = out[y];
    }
    ESCN_UNROLL
    for (int y = 0; y < kTile; ++y) {
        Vector out[kTile];
        to_voxels(along_x[y], out);
        ESCN_UNROLL
        for (int x = 0; x < kTile; ++x) store(square + (kTile * y + x) * kLanes, out[x]);
    }
}

}  // namespace
}  // namespace escn::network
