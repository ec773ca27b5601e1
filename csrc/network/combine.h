// How the SCN combines its two predictions, one row at a time. Compiled once per instruction set.
#pragma once

#include <cstdint>

#include "network/kernels.h"
#include "network/lanes.h"

namespace escn::network {
namespace {

// σ(values), from `power` = e^-|values|.
inline Vector sigmoid(Vector values, Vector power) {
    const Vector one = splat(1.0f);
    const Vector below = power / (power + one);
    return choose_if_negative(values, below, one - below);
}

inline Vector sigmoid(Vector values) { return sigmoid(values, exponential(splat(0.0f) - absolute(values))); }

// ln(1 + x) for x from 0 to 1, as 2 artanh(x / (2 + x)), whose series converges fast.
inline Vector logarithm_of_one_and(Vector x) {
    const Vector t = x / (x + splat(2.0f)), square = t * t;
    Vector series = splat(1.0f / 17);
    ESCN_UNROLL
    for (int i = 15; i >= 1; i -= 2) series = series * square + splat(1.0f / i);
    return series * t * 2.0f;
}

// Entropy in bits of the distribution (σ(x), 1 - σ(x)), from `magnitude` = |x| and `power` = e^-|x|. At most
// 1, so that no probability is negative.
inline Vector entropy_bits(Vector magnitude, Vector power) {
    const Vector below = power / (power + splat(1.0f));
    return smaller((logarithm_of_one_and(power) + magnitude * below) * 1.44269504f, splat(1.0f));
}

// With l = σ(local), s = σ(spatial) and h the entropy of s in bits, p = l·h + s·(1 - h). The probabilities
// are p divided by the sum of 1e-5 and the p of all labels. If `background` is not null, its p is what the
// labels leave of 1, if anything, and counts in that sum. `width` is a multiple of kLanes.
void combine(int32_t labels, int64_t width, const float* const* local, const float* const* spatial,
             float* const* probabilities, float* background) {
    for (int64_t i = 0; i < width; i += kLanes) {
        Vector total = splat(1e-5f);
        for (int32_t label = 0; label < labels; ++label) {
            const Vector logit = load(spatial[label] + i);
            const Vector magnitude = smaller(absolute(logit), splat(kLargestPower));
            const Vector power = exponential(splat(0.0f) - magnitude);
            const Vector s = sigmoid(logit, power), h = entropy_bits(magnitude, power);
            const Vector l = sigmoid(load(local[label] + i));
            const Vector p = l * h + s * (splat(1.0f) - h);
            total += p;
            store(probabilities[label] + i, p);
        }
        const Vector rest = larger(splat(1 + 1e-5f) - total, splat(0.0f));
        if (background) total += rest;
        const Vector factor = splat(1.0f) / total;
        if (background) store(background + i, rest * factor);
        for (int32_t label = 0; label < labels; ++label) {
            float* p = probabilities[label] + i;
            store(p, load(p) * factor);
        }
    }
}

// sums[label][i] += σ(logits[label][i]); `width` is a multiple of kLanes.
void add_sigmoids(int32_t labels, int64_t width, const float* const* logits, float* const* sums) {
    for (int32_t label = 0; label < labels; ++label) {
        const float* from = logits[label];
        float* to = sums[label];
        for (int64_t i = 0; i < width; i += kLanes) store(to + i, load(to + i) + sigmoid(load(from + i)));
    }
}

// sums[label][i] += softmax(logits)[label][i] over the labels; `width` is a multiple of kLanes.
void add_softmax(int32_t labels, int64_t width, const float* const* logits, float* const* sums) {
    for (int64_t i = 0; i < width; i += kLanes) {
        Vector largest = splat(-HUGE_VALF);
        for (int32_t label = 0; label < labels; ++label) largest = larger(largest, load(logits[label] + i));
        Vector total = splat(0.0f);
        for (int32_t label = 0; label < labels; ++label)
            total += exponential(load(logits[label] + i) - largest);
        const Vector factor = splat(1.0f) / total;
        for (int32_t label = 0; label < labels; ++label) {
            const Vector share = exponential(load(logits[label] + i) - largest) * factor;
            store(sums[label] + i, load(sums[label] + i) + share);
        }
    }
}

}  // namespace
}  // namespace escn::network
