// Compiled once per instruction set: ESCN_KERNELS names the function that returns this set's kernels, whose
// vectors have ESCN_LANES floats. Nothing here may be inline with external linkage, because the linker could
// then use this set's instructions for another set's code.
#include "network/kernels.h"

#include "network/combine.h"
#include "network/lanes.h"
#include "network/multiply.h"
#include "network/tile_transforms.h"

namespace escn::network {
namespace {

// Applies bias and LeakyReLU to the sums and stores the values in `result`. If a head needs them, also stores
// them in `sums`.
void finish(const TileConvolution& layer, const Tiles& tiles, const TileResult& result, float* sums) {
    const int32_t outputs = layer.outputs;
    const int64_t row = int64_t{2} * tiles.columns * outputs, plane = 2 * tiles.rows * row;
    for (int32_t tile_y = 0; tile_y < tiles.rows; ++tile_y) {
        for (int32_t tile_x = 0; tile_x < tiles.columns; ++tile_x) {
            const int32_t y = 2 * (tiles.y + tile_y), x = 2 * (tiles.x + tile_x);
            for (int32_t n = 0; n < outputs; n += kLanes) {
                float* from = sums + 2 * tile_y * row + int64_t{2} * tile_x * outputs + n;
                const Vector bias = load(layer.bias + n);
                Vector total = splat(0.0f);
                ESCN_UNROLL
                for (int i = 0; i < 8; ++i) {
                    const int dz = i / 4, dy = i / 2 % 2, dx = i % 2;
                    float* sum = from + dz * plane + dy * row + dx * outputs;
                    const Vector value = leaky(load(sum) + bias, layer.slope);
                    total += value;
                    if (result.head) store(sum, value);
                    if (result.planes[dz] && y + dy < result.y && x + dx < result.x) {
                        store(
                            result.planes[dz] + (y + dy + 1) * result.row + int64_t{x + dx + 1} * outputs + n,
                            value);
                    }
                }
                if (result.pooled) {
                    store(result.pooled + (y / 2 + 1) * result.pooled_row + int64_t{x / 2 + 1} * outputs + n,
                          total * 0.125f);
                }
            }
        }
    }
}

void apply_head(const Head& head, const Tiles& tiles, const TileResult& result, int32_t channels,
                const Scratch& scratch) {
    const int64_t voxels = int64_t{2} * tiles.columns;
    for (int32_t i = 0; i < 4 * tiles.rows; ++i) {
        const int32_t z = i / (2 * tiles.rows), row = i % (2 * tiles.rows);
        const float* values = scratch.sums + i * voxels * channels;
        const Left left{&values, 1, channels, channels};
        float* to = result.logits[z] + int64_t{2 * tiles.y + row} * result.x + 2 * tiles.x;
        for (int32_t first = 0; first < head.outputs; first += kLanes) {
            multiply<1, 0>(left, voxels, head.weights + int64_t{first} * channels, scratch.logits, kLanes);
            for (int32_t n = first; n < head.outputs && n < first + kLanes; ++n) {
                float* out = to + n * result.logits_stride;
                const float* in = scratch.logits + n - first;
                for (int64_t x = 0; x < voxels; ++x) out[x] = in[x * kLanes] + head.bias[n];
            }
        }
    }
}

template <int A, int VECTORS>
void convolve_part(const TileConvolution& layer, const Fine& fine, const Coarse* coarse, const Tiles& tiles,
                   const Scratch& scratch) {
    const int64_t count = int64_t{tiles.rows} * tiles.columns;
    const Transformed transformed{scratch.transformed, count, part_stride(layer.inputs, count)};
    const int32_t fine_inputs = coarse ? layer.inputs / 2 : layer.inputs;
    transform_fine<A>(fine, fine_inputs, tiles, transformed);
    if (coarse) transform_coarse(*coarse, A, fine_inputs, fine_inputs, tiles, transformed);
    constexpr int32_t panel = VECTORS * kLanes;
    const int64_t of_part = int64_t{layer.inputs} * layer.outputs;
    for (int32_t part = 0; part < 16; ++part) {
        const float* groups[8];
        const int32_t group_count = layer.inputs / kGroup;
        for (int32_t g = 0; g < group_count; ++g) {
            groups[g] = transformed.at(g * kGroup, 0) + part * transformed.part;
        }
        const float* weights = layer.weights + (A * 16 + part) * of_part;
        float* products = scratch.products + part * part_stride(layer.outputs, count);
        for (int32_t n = 0; n < layer.outputs; n += panel) {
            multiply<VECTORS, kGroup>({groups, group_count, kGroup, kGroup}, count,
                                      weights + int64_t{n} * layer.inputs, products + n, layer.outputs);
        }
    }
    add_products<A>(scratch.products, tiles, layer.outputs, scratch.sums);
}

template <int VECTORS>
void convolve_all(const TileConvolution& layer, const Fine& fine, const Coarse* coarse, const Tiles& tiles,
                  const Scratch& scratch) {
    convolve_part<0, VECTORS>(layer, fine, coarse, tiles, scratch);
    convolve_part<1, VECTORS>(layer, fine, coarse, tiles, scratch);
    convolve_part<2, VECTORS>(layer, fine, coarse, tiles, scratch);
    convolve_part<3, VECTORS>(layer, fine, coarse, tiles, scratch);
}

void convolve_tiles(const TileConvolution& layer, const Fine& fine, const Coarse* coarse, const Tiles& tiles,
                    const TileResult& result, const Scratch& scratch) {
    const auto convolve = panel_width(kLanes, layer.outputs) == kLanes ? convolve_all<1> : convolve_all<2>;
    convolve(layer, fine, coarse, tiles, scratch);
    finish(layer, tiles, result, scratch.sums);
    if (result.head) apply_head(*result.head, tiles, result, layer.outputs, scratch);
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

Kernels ESCN_KERNELS() { return {kLanes, convolve_tiles, convolve_image, combine, add_sigmoids}; }

}  // namespace escn::network
