#include "cuda/host_kernels.h"

#include <algorithm>
#include <vector>

#include "cuda/label_sweep.h"
#include "cuda/resample_sweep.h"
#include "cuda/value_range.h"
#include "cuda/visit_voxels.h"
#include "resample/mask_box.h"

namespace escn::cuda::host {
namespace {

template <typename Stored>
void finish(const InputFinish& work) {
    const int64_t plane = work.input_size[1] * work.input_size[2];
    for (int64_t z = 0; z < work.input_size[0]; ++z) {
        for (int64_t i = 0; i < plane; ++i) {
            store(static_cast<Stored*>(work.input) + z * plane + i, finished_voxel(work, z, i));
        }
    }
}

template <typename Probability>
void write_label_tile(const LabelSweep& work, const LabelTile& tile, int32_t widest,
                      std::vector<float>& rows) {
    blend_source_rows<Probability>(work, tile, widest, 0, 1, rows.data());
    uint8_t* row = work.labels + tile.z * work.strides[0] + tile.y * work.strides[1];
    for (int32_t x = tile.begin; x < tile.end; ++x) {
        const int32_t label = label_at(work, tile, widest, x, rows.data());
        row[x * work.strides[2]] = static_cast<uint8_t>(label);
        ++work.counts[label];
    }
    for (int32_t x = tile.end; work.padded && x % kLabelsPerThread != 0; ++x) row[x] = 0;
}

}  // namespace

void reduce_slices(const SliceReduction& work) {
    std::vector<float> window(work.widest_tile);
    visit_voxels(work.view.type, [&](auto voxel) {
        for (int64_t slice = 0; slice < work.view.size[0]; ++slice) {
            for (int32_t row = 0; row < work.out_rows; ++row) {
                for (int32_t tile = 0; tile < work.tile_count; ++tile) {
                    sum_over_rows<decltype(voxel)>(work, work.tiles[tile], row, slice, 0, 1, window.data());
                    sum_over_columns(work, work.tiles[tile], row, slice, 0, 1, window.data());
                }
            }
        }
    });
}

void add_slab(const SlabSum& work) {
    for (int32_t o = work.out_first; o < work.out_last; ++o) {
        for (int64_t i = 0; i < work.plane; ++i) add_slab_to(work, o, i);
    }
}

void finish_input(const InputFinish& work) {
    work.element == Element::kFloat16 ? finish<Half>(work) : finish<float>(work);
}

void find_mask_box(const uint8_t* mask, const Size& size, MaskBox* box) {
    IndexRange ranges[3];
    for (int64_t i = 0; i < size[0] * size[1] * size[2]; ++i) {
        if (mask[i] == 0) continue;
        include(ranges[0], i / (size[1] * size[2]));
        include(ranges[1], i / size[2] % size[1]);
        include(ranges[2], i % size[2]);
    }
    for (int axis = 0; axis < 3; ++axis) {
        box->first[axis] = static_cast<int32_t>(std::min<int64_t>(ranges[axis].first, INT32_MAX));
        box->last[axis] = static_cast<int32_t>(ranges[axis].last);
    }
}

void start_value_range(ValueRange* range) { *range = {kNoLow, kNoHigh, 0}; }

void add_value_range(const ScanView& view, ValueRange* range) {
    visit_voxels(view.type, [&](auto voxel) {
        using Voxel = decltype(voxel);
        for (int64_t row = 0; row < view.size[0] * view.size[1]; ++row) {
            const Voxel* voxels = static_cast<const Voxel*>(view.data) + row / view.size[1] * view.stride[0] +
                                  row % view.size[1] * view.stride[1];
            for (int64_t x = 0; x < view.size[2]; ++x) {
                const auto value = static_cast<float>(voxels[x * view.stride[2]]);
                if (is_finite(value)) {
                    range->low = std::min(range->low, ordered_code(value));
                    range->high = std::max(range->high, ordered_code(value));
                } else {
                    ++range->nonfinite;
                }
            }
        }
    });
}

void write_labels(const LabelSweep& work) {
    const int32_t widest = widest_label_tile(work);
    std::vector<float> rows(static_cast<std::size_t>(work.channels) * widest);
    const auto tiles = static_cast<int32_t>((work.size[2] + kLabelTile - 1) / kLabelTile);
    for (int64_t z = 0; z < work.size[0]; ++z) {
        for (int64_t y = 0; y < work.size[1]; ++y) {
            for (int32_t t = 0; t < tiles; ++t) {
                const LabelTile tile = label_tile(work, z, y, t);
                if (work.element == Element::kFloat16) {
                    write_label_tile<Half>(work, tile, widest, rows);
                } else {
                    write_label_tile<float>(work, tile, widest, rows);
                }
            }
        }
    }
}

}  // namespace escn::cuda::host
