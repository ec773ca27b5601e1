// From class probabilities to a label.
#pragma once

#include <stdint.h>

#include "resample/host_device.h"

namespace escn {

// Not a class: all labels are smaller.
constexpr int32_t kUnsettled = 255;

// The first class with the largest probability.
struct Argmax {
    float largest;
    int32_t label;
};

ESCN_HD Argmax first_class(float probability) { return {probability, 0}; }

ESCN_HD Argmax next_class(Argmax so_far, int32_t label, float probability) {
    return probability > so_far.largest ? Argmax{probability, label} : so_far;
}

// The two largest probabilities of one source voxel, found one class at a time.
struct Ranking {
    float largest;
    float second;
    int32_t label;
    int32_t within_unit;  // 1 if all probabilities so far are in [-1, 1], else 0, as for NaN
};

ESCN_HD int32_t is_within_unit(float probability) { return probability >= -1.0f && probability <= 1.0f; }

ESCN_HD Ranking first_rank(float probability) { return {probability, -2.0f, 0, is_within_unit(probability)}; }

ESCN_HD Ranking next_rank(Ranking so_far, int32_t label, float probability) {
    const bool leads = probability > so_far.largest;
    const float behind = leads ? so_far.largest : probability;
    return {leads ? probability : so_far.largest, behind > so_far.second ? behind : so_far.second,
            leads ? label : so_far.label, so_far.within_unit & is_within_unit(probability)};
}

constexpr float kSettledLead = 1.0f / 65536.0f;

// The label of a source voxel if it is settled, else kUnsettled. Where all source voxels of an output voxel
// share a settled label, this label is the argmax of the interpolated probabilities, so nothing needs to be
// interpolated. Background (class 0, the first maximum on ties) is settled when no class exceeds it, because
// rounding keeps the order. Another class must lead by more than the rounding error of interpolating values
// up to 1.
ESCN_HD int32_t settled_label(Ranking ranking) {
    const bool decides = ranking.label == 0 || ranking.largest - ranking.second >= kSettledLead;
    return ranking.within_unit && decides ? ranking.label : kUnsettled;
}

}  // namespace escn
