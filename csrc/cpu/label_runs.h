// A label map as runs: voxels of one label that lie side by side along x. Organs have few.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/view.h"

namespace escn::cpu {

// The voxels [begin, end) of row (z, y).
struct LabelRun {
    int32_t z, y, begin, end;
    int32_t piece;  // the number of the connected piece that the run is a part of
    uint8_t label;

    int64_t size() const { return end - begin; }
};

struct LabelRuns {
    std::vector<LabelRun> runs;  // by z, y and begin
    int32_t pieces = 0;          // they are numbered from 0, in the order of their first runs
};

// All runs of labels above 0. Voxels of one label that share a face, an edge or a corner are of one piece.
LabelRuns label_runs(const View<const uint8_t>& labels, int threads);

}  // namespace escn::cpu
