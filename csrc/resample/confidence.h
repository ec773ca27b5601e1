// How sure a network is of the class of a voxel.
#pragma once

#include <stdint.h>

#include "resample/label.h"

namespace escn {

// A voxel is doubtful if its two largest probabilities differ by less.
constexpr float kClearMargin = 0.5f;

// Probabilities are added as whole multiples of 1 / kOne, so that a sum does not depend on the order.
constexpr int32_t kOne = 1 << 15;

// How doubtful a voxel is. An unsound one has a value outside [-1, 1], or NaN, which is no probability.
constexpr int32_t kClear = 0;
constexpr int32_t kDoubtful = 1;
constexpr int32_t kUnsound = 2;

struct Confidence {
    int32_t label;        // the class of the largest probability
    int32_t probability;  // of the label, in units of 1 / kOne, cut to 0 and kOne
    int32_t doubt;
};

ESCN_HD Confidence confidence_of(Ranking ranking) {
    const float within = ranking.largest > 0.0f ? (ranking.largest < 1.0f ? ranking.largest : 1.0f) : 0.0f;
    const auto units = static_cast<int32_t>(within * static_cast<float>(kOne) + 0.5f);
    const int32_t doubt = ranking.largest - ranking.second < kClearMargin ? kDoubtful : kClear;
    return {ranking.label, units, ranking.within_unit ? doubt : kUnsound};
}

}  // namespace escn
