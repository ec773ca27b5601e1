// Compiled once per instruction set: ESCN_KERNELS names the function that returns this set's kernels, whose
// vectors have ESCN_LANES floats. Nothing here may be inline with external linkage, because the linker could
// then use this set's instructions for another set's code.
#include "network/kernels.h"

#include <algorithm>

#include "network/combine.h"
#include "network/lanes.h"
#include "network/multiply.h"
#include "network/tile_transforms.h"

namespace escn::network {
namespace {

// Where a rectangle of tiles goes: their first voxel in each plane, or null where there is no such plane.
struct Voxels {
    float* planes[kTile];
    int64_t row;
};

Voxels voxels_in(const TileResult& result, const Tiles& tiles, int32_t channels) {
    Voxels voxels{{}, result.row};
    for (int z = 0; z < kTile; ++z) {
        if (!result.planes[z]) continue;
        voxels.planes[z] =
            result.planes[z] + (kTile * tiles.y + 1) * result.row + (kTile * tiles.x + 1) * int64_t{channels};
    }
    return voxels;
}

// Those for a head
Voxels voxels_in(const Scratch& scratch, const Tiles& tiles, int32_t channels) {
    Voxels voxels{{}, int64_t{kTile} * tiles.columns * channels};
    for (int z = 0; z < kTile; ++z) {
        voxels.planes[z] = scratch.parts + z * kTile * tiles.rows * voxels.row;
    }
    return voxels;
}

// Transforms squares of products along z to voxels, and applies bias and LeakyReLU.
void finish(const TileConvolution& layer, const Tiles& tiles, const TileResult& result, const float* squares,
            const Voxels& voxels) {
    const int32_t outputs = layer.outputs;
    for (int32_t tile = 0; tile < tiles.rows * tiles.columns; ++tile) {
        const int32_t tile_y = kTile * (tile / tiles.columns), tile_x = kTile * (tile % tiles.columns);
        const int32_t y0 = kTile * tiles.y + tile_y, x0 = kTile * tiles.x + tile_x;
        const int32_t rows = std::min(kTile, result.y - y0), columns = std::min(kTile, result.x - x0);
        const int64_t row = voxels.row, origin = tile_y * row + int64_t{tile_x} * outputs;
        const float slope = layer.slope;
        for (int32_t n = 0; n < outputs; n += kLanes, squares += kPoints * kSquare * kLanes) {
            const Vector bias = load(layer.bias + n);
            Vector sums[kTile / 2][kTile / 2][kTile / 2];
            ESCN_UNROLL
            for (int y = 0; y < kTile; ++y) {
                ESCN_UNROLL
                for (int x = 0; x < kTile; ++x) {
                    Vector m[kPoints], values[kTile];
                    ESCN_UNROLL
                    for (int z = 0; z < kPoints; ++z) {
                        m[z] = load(squares + (z * kSquare + kTile * y + x) * kLanes);
                    }
                    to_voxels(m, values);
                    const int64_t to = origin + y * row + x * outputs + n;
                    ESCN_UNROLL
                    for (int z = 0; z < kTile; ++z) {
                        const Vector value = leaky(values[z] + bias, slope);
                        Vector& sum = sums[z / 2][y / 2][x / 2];
                        sum = z % 2 + y % 2 + x % 2 == 0 ? value : sum + value;
                        if (voxels.planes[z] && y < rows && x < columns) store(voxels.planes[z] + to, value);
                    }
                }
            }
            for (int z = 0; z < kTile / 2; ++z) {
                if (!result.pooled[z]) continue;
                for (int y = 0; y < rows / 2; ++y) {
                    for (int x = 0; x < columns / 2; ++x) {
                        store(result.pooled[z] + (y0 / 2 + y + 1) * result.pooled_row +
                                  int64_t{x0 / 2 + x + 1} * outputs + n,
                              sums[z][y][x] * 0.125f);
                    }
                }
            }
        }
    }
}

void apply_head(const Head& head, const Tiles& tiles, const TileResult& result, int32_t channels,
                const Voxels& from, float* logits) {
    const int32_t columns = std::min(kTile * tiles.columns, result.x - kTile * tiles.x);
    for (int32_t i = 0; i < kTile * kTile * tiles.rows; ++i) {
        const int32_t z = i % kTile, y = i / kTile, all_y = kTile * tiles.y + y;
        if (!result.logits[z] || all_y >= result.y) continue;
        const float* values = from.planes[z] + y * from.row;
        const Left left{&values, 1, channels, channels};
        float* to = result.logits[z] + int64_t{all_y} * result.x + kTile * tiles.x;
        for (int32_t first = 0; first < head.outputs; first += kLanes) {
            multiply<1, 0>(left, columns, head.weights + int64_t{first} * channels, logits, kLanes);
            for (int32_t n = first; n < head.outputs && n < first + kLanes; ++n) {
                float* out = to + n * result.logits_stride;
                const float* in = logits + n - first;
                for (int64_t x = 0; x < columns; ++x) out[x] = in[x * kLanes] + head.bias[n];
            }
        }
    }
}

// Multiplies the transformed inputs, and transforms the products along y and x.
template <int VECTORS>
void multiply_parts(const TileConvolution& layer, int64_t tiles, const Scratch& scratch) {
    constexpr int32_t panel = VECTORS * kLanes;
    const int64_t of_part = int64_t{layer.inputs} * layer.outputs;
    const int64_t stride = part_stride(layer.inputs, tiles);
    const int32_t group_count = layer.inputs / kGroup;
    for (int32_t z = 0; z < kPoints; ++z) {
        float* first = scratch.parts + z * kPoints * kPoints * stride;
        for (int32_t part = 0; part < kPoints * kPoints; ++part) {
            float* products = first + part * stride;
            const float* groups[8];
            for (int32_t g = 0; g < group_count; ++g) groups[g] = products + stride + g * kGroup * tiles;
            const float* weights = layer.weights + (z * kPoints * kPoints + part) * of_part;
            for (int32_t n = 0; n < layer.outputs; n += panel) {
                multiply<VECTORS, kGroup>({groups, group_count, kGroup, kGroup}, tiles,
                                          weights + int64_t{n} * layer.inputs, products + n, layer.outputs);
            }
        }
        float* square = scratch.squares + z * kSquare * kLanes;
        for (int64_t i = 0; i < tiles * layer.outputs; i += kLanes, square += kPoints * kSquare * kLanes) {
            to_square(first + i, stride, square);
        }
    }
}

void convolve_tiles(const TileConvolution& layer, const Fine& fine, const Coarse* coarse, const Tiles& tiles,
                    const TileResult& result, const Scratch& scratch) {
    const int64_t count = int64_t{tiles.rows} * tiles.columns;
    const int64_t stride = part_stride(layer.inputs, count);
    const Transformed transformed{scratch.parts + stride, count, stride};
    const int32_t fine_inputs = coarse ? layer.inputs / 2 : layer.inputs;
    transform_fine(fine, fine_inputs, tiles, transformed);
    if (coarse) transform_coarse(*coarse, fine_inputs, fine_inputs, tiles, transformed);
    const bool narrow = panel_width(kLanes, layer.outputs) == kLanes;
    (narrow ? multiply_parts<1> : multiply_parts<2>)(layer, count, scratch);
    const Voxels voxels =
        result.head ? voxels_in(scratch, tiles, layer.outputs) : voxels_in(result, tiles, layer.outputs);
    finish(layer, tiles, result, scratch.squares, voxels);
    if (result.head) apply_head(*result.head, tiles, result, layer.outputs, voxels, scratch.logits);
}

// INPUTS is the number of channels, or 0 if that is unknown at compile time.
template <int VECTORS, int INPUTS>
void convolve_image_rows(const ImageConvolution& layer, const ImageRows& rows) {
    const int32_t inputs = INPUTS ? INPUTS : layer.inputs;
    for (int32_t y = rows.y; y < rows.y + rows.rows; ++y) {
        const float* pieces[9];
        for (int32_t i = 0; i < 9; ++i) pieces[i] = rows.planes[i / 3] + (y + i % 3) * rows.row;
        float* out = rows.plane + (y + 1) * rows.result_row + layer.outputs;
        for (int32_t n = 0; n < layer.outputs; n += VECTORS * kLanes) {
            multiply<VECTORS, INPUTS>({pieces, 9, 3 * inputs, inputs}, rows.columns,
                                      layer.weights + int64_t{27} * inputs * n, out + n, layer.outputs);
        }
        for (int64_t x = 0; x < rows.columns; ++x) {
            for (int32_t n = 0; n < layer.outputs; n += kLanes) {
                float* value = out + x * layer.outputs + n;
                store(value, leaky(load(value) + load(layer.bias + n), layer.slope));
            }
        }
    }
}

void convolve_image(const ImageConvolution& layer, const ImageRows& rows) {
    const bool narrow = panel_width(kLanes, layer.outputs) == kLanes;
    if (layer.inputs == 1) {
        (narrow ? convolve_image_rows<1, 1> : convolve_image_rows<2, 1>)(layer, rows);
    } else {
        (narrow ? convolve_image_rows<1, 0> : convolve_image_rows<2, 0>)(layer, rows);
    }
}

}  // namespace

Kernels ESCN_KERNELS() {
    return {kLanes, convolve_tiles, convolve_image, combine, add_sigmoids, add_softmax};
}

}  // namespace escn::network
