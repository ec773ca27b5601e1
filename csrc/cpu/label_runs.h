// A label map as runs: voxels of one label that lie side by side along x. Organs have few.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/view.h"

namespace escn::cpu {

// The voxels [begin, end) of row (z, y).
struct LabelRun {
    int64_t z, y, begin, end;
    uint8_t label;
    // Of the connected piece that the run is a part of.
    int64_t piece;

    int64_t size() const { return end - begin; }
};

struct LabelRuns {
    std::vector<LabelRun> runs;  // by z, y and begin
    int64_t pieces = 0;          // they are numbered from 0, in the order of their first runs
};

// All runs of labels above 0. Voxels of one label that share a face, an edge or a corner are of one piece.
LabelRuns label_runs(const View<const uint8_t>& labels, int threads);

}  // namespace escn::cpu
