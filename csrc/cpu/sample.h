// One separable pass over a scan: a banded operator per axis, then network intensities.
#pragma once

#include "cpu/tap_table.h"
#include "cpu/view.h"
#include "resample/intensity.h"

namespace escn::cpu {

struct Sampling {
    Triple<TapTable> taps;  // z, y, x
    float outside_hu;
    IntensityMap intensity;
};

// `output` has the size of the tap tables and is contiguous along x. The result is the same to the last bit
// for every memory order of the scan and every number of threads.
void sample(const ScanView& scan, const Sampling& sampling, const View<float>& output, int threads);

}  // namespace escn::cpu
