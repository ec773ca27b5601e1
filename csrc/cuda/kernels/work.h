// The arguments of each kernel. Pointers are to device memory; arrays are [z, y, x] and contiguous unless
// strides are given.
#pragma once

#include <cstdint>

#include "cpu/view.h"
#include "geometry/triple.h"
#include "resample/intensity.h"
#include "resample/taps.h"
#include "resample/value_summary.h"

namespace escn::cuda {

using cpu::ScanView;
using cpu::VoxelType;

// Consecutive output columns, and the image columns under them that one block holds in shared memory.
struct ColumnTile {
    int32_t out_first;
    int32_t out_count;
    int32_t in_first;
    int32_t in_count;
};

// partial[s, oy, ox] = the y and x operators applied to slice s of `view`.
struct SliceReduction {
    ScanView view;    // size[0] slices, with only the rows and columns that the operators need
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
// outputs [out_first, out_last). The sums are complete once all slabs are added, in ascending order.
struct SlabSum {
    const float* partial;
    int64_t first_slice;
    int64_t slices;
    TapRows taps;
    int32_t out_first;
    int32_t out_last;
    int64_t plane;  // elements per slice of partial and of sums
    float* sums;
};

// The element type of a network's tensor that kernels read or write.
enum class FloatType { kFloat32, kFloat16 };

// The input is the intensity of sums + outside_hu * the share outside the image. It begins at pad_before, in
// padding with the intensity of padding_hu.
struct InputFinish {
    const float* sums;
    Size sums_size;
    Triple<const float*> inside;  // share of an output voxel that is in the image, per axis
    float outside_hu;
    Size input_size;
    Size pad_before;
    float padding_hu;
    IntensityMap intensity;
    FloatType type;
    void* input;
};

// Inclusive corners of the box around a mask's nonzero voxels; `last` is -1 if all are zero.
struct MaskBox {
    int32_t first[3];
    int32_t last[3];
};

// A ValueSummary whose extremes are codes of value_summary.h. Few enough rows count for 32 bits.
struct EncodedSummary {
    uint32_t low;
    uint32_t high;
    unsigned long long nonfinite;
    uint32_t counts[kValueBins];
};

inline constexpr int32_t kMostLabels = 255;
// Consecutive voxels per thread, which one 32-bit store writes.
inline constexpr int32_t kLabelsPerThread = 4;

// labels[z, y, x] = the first class with the largest probability after a linear resize of the probabilities
// to `crop_size`, for the part of the crop that begins at `begin` and has `size` voxels. Adds each label's
// voxels to counts[label].
struct LabelSweep {
    const void* probabilities;  // [channels, z, y, x]
    FloatType type;
    int32_t channels;
    Size probabilities_size;
    Size crop_size;
    Index begin;
    Size size;
    uint8_t* labels;  // address of the voxel at `begin`
    Index strides;    // of labels
    bool padded;      // rows are padded with zeros to a multiple of kLabelsPerThread
    unsigned long long* counts;
};

// As cpu::LabelConfidence.
struct ConfidenceSums {
    unsigned long long voxels, confidence, faces, doubtful_faces, unsound;
};

// Adds what is known of each label from its voxels in [start, stop) to sums[label].
struct ConfidenceSweep {
    const void* probabilities;  // [channels, z, y, x]
    FloatType type;
    int32_t channels;
    Size probabilities_size;
    Index start;
    Index stop;
    ConfidenceSums* sums;
};

}  // namespace escn::cuda
