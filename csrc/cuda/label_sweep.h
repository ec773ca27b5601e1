// What a block of the label kernel does, thread by thread; the host runs the same lines with one thread.
#pragma once

#include "cuda/half.h"
#include "cuda/work.h"
#include "resample/label.h"
#include "resample/linear.h"

namespace escn::cuda {

// Consecutive voxels of a thread, so that they leave in one 32-bit store.
constexpr int32_t kLabelsPerThread = 4;
constexpr int32_t kLabelThreads = 128;
constexpr int32_t kLabelTile = kLabelThreads * kLabelsPerThread;
constexpr int32_t kMostLabels = 255;

// A run of kLabelTile voxels of one output row, and the source columns under it.
struct LabelTile {
    int64_t z, y;
    int32_t begin, end;  // voxels of the row, counted from LabelSweep::begin
    int32_t source_first, source_count;
};

// No tile has more source columns under it.
ESCN_HD int32_t widest_label_tile(const LabelSweep& work) {
    const double scale =
        static_cast<double>(work.probabilities_size[2]) / static_cast<double>(work.crop_size[2]);
    const auto reach = static_cast<int64_t>(scale * kLabelTile) + 4;
    return static_cast<int32_t>(reach < work.probabilities_size[2] ? reach : work.probabilities_size[2]);
}

ESCN_HD LinearTap label_tap(const LabelSweep& work, int axis, int64_t index) {
    return linear_tap(static_cast<int32_t>(work.begin[axis] + index),
                      static_cast<int32_t>(work.probabilities_size[axis]),
                      static_cast<int32_t>(work.crop_size[axis]));
}

ESCN_HD LabelTile label_tile(const LabelSweep& work, int64_t z, int64_t y, int32_t tile) {
    const int32_t begin = tile * kLabelTile;
    const auto width = static_cast<int32_t>(work.size[2]);
    const int32_t end = begin + kLabelTile < width ? begin + kLabelTile : width;
    const int32_t first = label_tap(work, 2, begin).left;
    return {z, y, begin, end, first, label_tap(work, 2, end - 1).right + 1 - first};
}

// First half: each channel's source row, blended along y, then z, as the CPU does. `rows` is [channels,
// widest].
template <typename Probability>
ESCN_HD void blend_source_rows(const LabelSweep& work, const LabelTile& tile, int32_t widest, int32_t thread,
                               int32_t threads, float* rows) {
    const LinearTap z = label_tap(work, 0, tile.z);
    const LinearTap y = label_tap(work, 1, tile.y);
    const int64_t row = work.probabilities_size[2];
    const int64_t plane = work.probabilities_size[1] * row;
    const auto* source = static_cast<const Probability*>(work.probabilities) + tile.source_first;
    for (int32_t c = 0; c < work.channels; ++c, source += work.probabilities_size[0] * plane) {
        const Probability* front_left = source + z.left * plane + y.left * row;
        const Probability* front_right = source + z.left * plane + y.right * row;
        const Probability* back_left = source + z.right * plane + y.left * row;
        const Probability* back_right = source + z.right * plane + y.right * row;
        for (int32_t x = thread; x < tile.source_count; x += threads) {
            const float front =
                blend(load(front_left + x), load(front_right + x), y.left_weight, y.right_weight);
            const float back =
                blend(load(back_left + x), load(back_right + x), y.left_weight, y.right_weight);
            rows[c * widest + x] = blend(front, back, z.left_weight, z.right_weight);
        }
    }
}

// Second half: the blend along x and the comparison. `x` counts as LabelTile::begin does.
ESCN_HD int32_t label_at(const LabelSweep& work, const LabelTile& tile, int32_t widest, int32_t x,
                         const float* rows) {
    const LinearTap tap = label_tap(work, 2, x);
    const float* left = rows + (tap.left - tile.source_first);
    const float* right = rows + (tap.right - tile.source_first);
    Argmax best = first_class(blend(*left, *right, tap.left_weight, tap.right_weight));
    for (int32_t c = 1; c < work.channels; ++c) {
        best = next_class(best, c,
                          blend(left[c * widest], right[c * widest], tap.left_weight, tap.right_weight));
    }
    return best.label;
}

}  // namespace escn::cuda
