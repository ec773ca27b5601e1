// The transforms of F(2×2×2, 3×3×3): voxels to factors of products, and products to voxels. Along one axis,
//   four inputs d become  d0 - d2,  d1 + d2,  d2 - d1,  d1 - d3
//   four products m become  m0 + m1 + m2,  m1 - m2 - m3
// The transform along z comes first. The functions below compute one of its four indices at a time: `A`, or
// `part_z`.
#pragma once

#include <cstdint>

#include "network/kernels.h"
#include "network/lanes.h"

namespace escn::network {
namespace {

// Transformed inputs, [16][group of channels][tile][channel of the group].
struct Transformed {
    float* values;
    int64_t tiles;
    int64_t part;  // from one of the 16 to the next

    float* at(int32_t channel, int64_t tile) const {
        return values + (channel / kGroup * tiles + tile) * kGroup + channel % kGroup;
    }
};

template <int A>
void transform_fine(const Fine& fine, int32_t channels, const Tiles& tiles, const Transformed& to) {
    constexpr int first = A == 0 ? 0 : A == 2 ? 2 : 1;
    constexpr int second = A == 0 ? 2 : A == 1 ? 2 : A == 2 ? 1 : 3;
    for (int32_t row = 0; row < tiles.rows; ++row) {
        const int64_t origin = 2 * (tiles.y + row) * fine.row + int64_t{2} * tiles.x * channels;
        for (int32_t c = 0; c < channels; c += kLanes) {
            const float* a = fine.planes[first] + origin + c;
            const float* b = fine.planes[second] + origin + c;
            const auto column = [&](int64_t x, Vector* out) {
                Vector d[4];
                ESCN_UNROLL
                for (int y = 0; y < 4; ++y) {
                    const int64_t at = y * fine.row + x * channels;
                    d[y] = A == 1 ? load(a + at) + load(b + at) : load(a + at) - load(b + at);
                }
                out[0] = d[0] - d[2];
                out[1] = d[1] + d[2];
                out[2] = d[2] - d[1];
                out[3] = d[1] - d[3];
            };
            Vector columns[4][4];
            column(0, columns[0]);
            column(1, columns[1]);
            float* out = to.at(c, int64_t{row} * tiles.columns);
            for (int32_t tile = 0; tile < tiles.columns; ++tile, out += kGroup) {
                column(2 * tile + 2, columns[2]);
                column(2 * tile + 3, columns[3]);
                ESCN_UNROLL
                for (int y = 0; y < 4; ++y) {
                    float* part = out + 4 * y * to.part;
                    store(part, columns[0][y] - columns[2][y]);
                    store(part + to.part, columns[1][y] + columns[2][y]);
                    store(part + 2 * to.part, columns[2][y] - columns[1][y]);
                    store(part + 3 * to.part, columns[1][y] - columns[3][y]);
                    columns[0][y] = columns[2][y];
                    columns[1][y] = columns[3][y];
                }
            }
        }
    }
}

// The factors of three voxels a, b and c of the small tensor in the four transformed inputs along one axis.
// The upsampled inputs are 3a/4 + b/4, a/4 + 3b/4, 3b/4 + c/4 and b/4 + 3c/4; the first and the last are zero
// beyond the edge.
struct CoarseFactors {
    float of[4][3];

    CoarseFactors(bool first, bool last)
        : of{{first ? 0.0f : 0.75f, first ? -0.75f : -0.5f, -0.25f},
             {0.25f, 1.5f, 0.25f},
             {-0.25f, 0.0f, 0.25f},
             {0.25f, last ? 0.75f : 0.5f, last ? 0.0f : -0.75f}} {}
};

inline Vector combine(const float* factors, Vector a, Vector b, Vector c) {
    return a * factors[0] + b * factors[1] + c * factors[2];
}

// Channel c of the small tensor becomes channel `to_channel` + c.
inline void transform_coarse(const Coarse& coarse, int part_z, int32_t channels, int32_t to_channel,
                             const Tiles& tiles, const Transformed& to) {
    const CoarseFactors along_z(coarse.z == 0, coarse.z == coarse.planes_all - 1);
    const float* z = along_z.of[part_z];
    const auto inside = [](int32_t index, int32_t size) {
        return index < 0 ? 0 : index < size ? index : size - 1;
    };
    for (int32_t row = 0; row < tiles.rows; ++row) {
        const int32_t middle = tiles.y + row;
        const CoarseFactors along_y(middle == 0, middle == coarse.y - 1);
        int64_t rows[3];
        for (int32_t i = 0; i < 3; ++i) rows[i] = (inside(middle + i - 1, coarse.y) + 1) * coarse.row;
        for (int32_t c = 0; c < channels; c += kLanes) {
            const auto column = [&](int32_t x, Vector* out) {
                const int64_t at = int64_t{inside(x, coarse.x) + 1} * channels + c;
                Vector d[3];
                ESCN_UNROLL
                for (int i = 0; i < 3; ++i) {
                    d[i] =
                        combine(z, load(coarse.planes[0] + rows[i] + at),
                                load(coarse.planes[1] + rows[i] + at), load(coarse.planes[2] + rows[i] + at));
                }
                ESCN_UNROLL
                for (int y = 0; y < 4; ++y) out[y] = combine(along_y.of[y], d[0], d[1], d[2]);
            };
            Vector columns[3][4];
            column(tiles.x - 1, columns[0]);
            column(tiles.x, columns[1]);
            float* out = to.at(to_channel + c, int64_t{row} * tiles.columns);
            for (int32_t tile = 0; tile < tiles.columns; ++tile, out += kGroup) {
                const int32_t x = tiles.x + tile;
                const CoarseFactors along_x(x == 0, x == coarse.x - 1);
                column(x + 1, columns[2]);
                ESCN_UNROLL
                for (int y = 0; y < 4; ++y) {
                    ESCN_UNROLL
                    for (int i = 0; i < 4; ++i) {
                        store(out + (4 * y + i) * to.part,
                              combine(along_x.of[i], columns[0][y], columns[1][y], columns[2][y]));
                    }
                    columns[0][y] = columns[1][y];
                    columns[1][y] = columns[2][y];
                }
            }
        }
    }
}

// Transforms the 16 products of index A along z to voxels, and adds these to `sums`,
// [2 z][2 rows][2 columns][outputs].
template <int A>
void add_products(const float* products, const Tiles& tiles, int32_t outputs, float* sums) {
    const int64_t part = part_stride(outputs, int64_t{tiles.rows} * tiles.columns);
    const int64_t row = int64_t{2} * tiles.columns * outputs, plane = 2 * tiles.rows * row;
    for (int64_t tile = 0; tile < int64_t{tiles.rows} * tiles.columns; ++tile) {
        const int64_t tile_y = tile / tiles.columns, tile_x = tile % tiles.columns;
        for (int32_t n = 0; n < outputs; n += kLanes) {
            const float* from = products + tile * outputs + n;
            Vector along_x[4][2];
            ESCN_UNROLL
            for (int y = 0; y < 4; ++y) {
                const float* m = from + 4 * y * part;
                const Vector m1 = load(m + part), m2 = load(m + 2 * part);
                along_x[y][0] = load(m) + m1 + m2;
                along_x[y][1] = m1 - m2 - load(m + 3 * part);
            }
            float* to = sums + 2 * tile_y * row + 2 * tile_x * outputs + n;
            ESCN_UNROLL
            for (int i = 0; i < 4; ++i) {
                const int x = i % 2;
                const Vector value = i < 2 ? along_x[0][x] + along_x[1][x] + along_x[2][x]
                                           : along_x[1][x] - along_x[2][x] - along_x[3][x];
                float* near = to + (i / 2) * row + x * outputs;
                float* far = near + plane;
                if (A == 0) store(near, value);
                if (A == 1 || A == 2) store(near, load(near) + value);
                if (A == 1) store(far, value);
                if (A == 2 || A == 3) store(far, load(far) - value);
            }
        }
    }
}

}  // namespace
}  // namespace escn::network
