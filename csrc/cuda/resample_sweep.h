// What a block of the resampling kernels does, thread by thread; the host runs the same lines with one
// thread.
#pragma once

#include "cuda/work.h"

namespace escn::cuda {

// First half: the sums over y for the image columns of a tile. Neighbouring threads read neighbouring voxels.
template <typename Voxel>
ESCN_HD void sum_over_rows(const SliceReduction& work, const ColumnTile& tile, int32_t out_row, int64_t slice,
                           int32_t thread, int32_t threads, float* window) {
    const int32_t count = work.rows.count[out_row];
    const float* weights = work.rows.weights + static_cast<int64_t>(out_row) * work.rows.stride;
    const Index stride = work.view.stride;
    const Voxel* voxels = static_cast<const Voxel*>(work.view.data) + slice * stride[0] +
                          work.rows.first[out_row] * stride[1] + tile.in_first * stride[2];
    for (int32_t column = thread; column < tile.in_count; column += threads) {
        const Voxel* voxel = voxels + column * stride[2];
        float sum = 0.0f;
        for (int32_t k = 0; k < count; ++k) {
            sum = add_tap(sum, weights[k], static_cast<float>(voxel[k * stride[1]]));
        }
        window[column] = sum;
    }
}

// Second half: the sums over x, from the window that the first half left.
ESCN_HD void sum_over_columns(const SliceReduction& work, const ColumnTile& tile, int32_t out_row,
                              int64_t slice, int32_t thread, int32_t threads, const float* window) {
    float* partial = work.partial + (slice * work.out_rows + out_row) * work.out_columns;
    for (int32_t i = thread; i < tile.out_count; i += threads) {
        const int32_t out_column = tile.out_first + i;
        const int32_t first = work.columns.first[out_column] - tile.in_first;
        const float* weights = work.columns.weights + static_cast<int64_t>(out_column) * work.columns.stride;
        float sum = 0.0f;
        for (int32_t k = 0; k < work.columns.count[out_column]; ++k) {
            sum = add_tap(sum, weights[k], window[first + k]);
        }
        partial[out_column] = sum;
    }
}

ESCN_HD void add_slab_to(const SlabSum& work, int32_t o, int64_t i) {
    const int64_t first =
        work.taps.first[o] - work.first_slice;  // of the band, counted from the slab's start
    const int64_t stop = first + work.taps.count[o];
    const float* weights = work.taps.weights + static_cast<int64_t>(o) * work.taps.stride;
    float sum = work.sums[o * work.plane + i];
    for (int64_t slice = first < 0 ? 0 : first; slice < stop && slice < work.slices; ++slice) {
        sum = add_tap(sum, weights[slice - first], work.partial[slice * work.plane + i]);
    }
    work.sums[o * work.plane + i] = sum;
}

// Network input at row z, column `in_plane` of its planes.
ESCN_HD float finished_voxel(const InputFinish& work, int64_t z, int64_t in_plane) {
    const int64_t from_z = z - work.pad_before[0];
    const int64_t from_y = in_plane / work.input_size[2] - work.pad_before[1];
    const int64_t from_x = in_plane % work.input_size[2] - work.pad_before[2];
    const Size size = work.sums_size;
    const bool padding =
        from_z < 0 || from_z >= size[0] || from_y < 0 || from_y >= size[1] || from_x < 0 || from_x >= size[2];
    if (padding) return network_intensity(work.intensity, work.padding_hu);
    const float hu = add_outside(work.sums[(from_z * size[1] + from_y) * size[2] + from_x], work.outside_hu,
                                 work.inside[0][from_z] * work.inside[1][from_y], work.inside[2][from_x]);
    return network_intensity(work.intensity, hu);
}

}  // namespace escn::cuda
