// What each kernel is asked to do. Pointers are of the device's memory; arrays are [z, y, x] and contiguous
// unless strides are given.
#pragma once

#include <cstdint>

#include "cpu/view.h"
#include "geometry/triple.h"
#include "resample/intensity.h"
#include "resample/taps.h"

namespace escn::cuda {

using cpu::ScanView;
using cpu::VoxelType;

// A run of output columns, and the image columns under it, that one block holds in shared memory.
struct ColumnTile {
    int32_t out_first;
    int32_t out_count;
    int32_t in_first;
    int32_t in_count;
};

// partial[s, oy, ox] = the y and x operators applied to slice s of `view`.
struct SliceReduction {
    ScanView view;    // of the rows and columns that the operators need; its size[0] slices
    TapRows rows;     // the operator of y
    TapRows columns;  // the operator of x
    int32_t out_rows;
    int32_t out_columns;
    const ColumnTile* tiles;
    int32_t tile_count;
    int32_t widest_tile;  // largest in_count
    float* partial;
};

// sums[o, i] += the z operator over the slices [first_slice, first_slice + slices) of partial, for the
// outputs [out_first, out_last). One slab after the other, in ascending order, gives the whole sum.
struct SlabSum {
    const float* partial;
    int64_t first_slice;
    int64_t slices;
    TapRows taps;
    int32_t out_first;
    int32_t out_last;
    int64_t plane;  // elements of a slice of partial and of sums
    float* sums;
};

// Of a network's tensor that kernels read or write.
enum class FloatType { kFloat32, kFloat16 };

// input = intensity of sums, with what lies outside the image, at pad_before; intensity of padding_hu around
// it.
struct InputFinish {
    const float* sums;
    Size sums_size;
    Triple<const float*> inside;  // share of an output voxel that lies in the image, per axis
    float outside_hu;
    Size input_size;
    Size pad_before;
    float padding_hu;
    IntensityMap intensity;
    FloatType type;
    void* input;
};

// Inclusive corners of what is not 0 in a mask; `last` is -1 where all is.
struct MaskBox {
    int32_t first[3];
    int32_t last[3];
};

// Extremes of the finite voxels in the code of value_range.h, and the number of the others.
struct ValueRange {
    uint32_t low;
    uint32_t high;
    unsigned long long nonfinite;
};

inline constexpr int32_t kMostLabels = 255;
// Consecutive voxels of a thread, so that they leave in one 32-bit store.
inline constexpr int32_t kLabelsPerThread = 4;

// labels[z, y, x] = the class of largest probability in the linear resize of the probabilities to
// `crop_size`, for the part of the crop that begins at `begin` and has `size` voxels; counts[label] += its
// voxels.
struct LabelSweep {
    const void* probabilities;  // [channels, z, y, x]
    FloatType type;
    int32_t channels;
    Size probabilities_size;
    Size crop_size;
    Index begin;
    Size size;
    uint8_t* labels;  // of the voxel at `begin`
    Index strides;    // of labels
    bool padded;      // each row ends at a multiple of kLabelsPerThread; zeros are written up to there
    unsigned long long* counts;
};

}  // namespace escn::cuda
