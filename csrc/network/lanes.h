// Vectors of ESCN_LANES floats, for the kernels that are compiled once per instruction set.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace escn::network {
namespace {

constexpr int kLanes = ESCN_LANES;

// The largest whole power for which e^-power is a normal float32.
constexpr float kLargestPower = 87.0f;

#if defined(__GNUC__)
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

inline Vector splat(float value) { return value - Vector{}; }
inline Vector leaky(Vector values, float slope) {
    const Vector scaled = values * slope;
    return values > 0.0f ? values : scaled;
}
// `smaller` and `larger` return NaN where `a` is NaN, and `absolute` where `values` are.
inline Vector smaller(Vector a, Vector b) { return b < a ? b : a; }
inline Vector larger(Vector a, Vector b) { return b > a ? b : a; }
inline Vector absolute(Vector values) { return values > 0.0f ? values : -values; }
inline Vector choose_if_negative(Vector values, Vector negative, Vector other) {
    return values < 0.0f ? negative : other;
}

// e to the power of `values`, which are 0 or less. Accurate to 2 units in the last place.
inline Vector exponential(Vector values) {
    typedef int32_t Integers __attribute__((vector_size(kLanes * sizeof(int32_t))));
    const Vector smallest = splat(-kLargestPower);
    values = values < smallest ? smallest : values;
    // Adding 1.5 * 2^23 rounds the exponent of 2 to an integer, which is then in the sum's last bits.
    const Vector shifted = values * 1.44269504f + 12582912.0f;
    const Vector power = shifted - 12582912.0f;
    const Vector rest = values - power * 0.693145752f - power * 1.42860677e-6f;
    Vector series = splat(1.0f / 5040);
    series = series * rest + 1.0f / 720;
    series = series * rest + 1.0f / 120;
    series = series * rest + 1.0f / 24;
    series = series * rest + 1.0f / 6;
    series = series * rest + 0.5f;
    series = series * rest * rest + rest + 1.0f;
    Integers bits;
    std::memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits + 127) << 23;
    Vector scale;
    std::memcpy(&scale, &bits, sizeof(scale));
    return series * scale;
}
inline void prefetch(const float* from) { __builtin_prefetch(from); }
#define ESCN_UNROLL _Pragma("GCC unroll 16")
#else
struct Vector {
    float lane[kLanes];
};

template <typename Operation>
inline Vector by_lane(Operation operation) {
    Vector result;
    for (int i = 0; i < kLanes; ++i) result.lane[i] = operation(i);
    return result;
}
inline Vector operator+(Vector a, Vector b) {
    return by_lane([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline Vector operator-(Vector a, Vector b) {
    return by_lane([&](int i) { return a.lane[i] - b.lane[i]; });
}
inline Vector operator*(Vector a, Vector b) {
    return by_lane([&](int i) { return a.lane[i] * b.lane[i]; });
}
inline Vector operator*(Vector a, float b) {
    return by_lane([&](int i) { return a.lane[i] * b; });
}
inline Vector& operator+=(Vector& a, Vector b) { return a = a + b; }
inline Vector splat(float value) {
    return by_lane([&](int) { return value; });
}
inline Vector leaky(Vector values, float slope) {
    return by_lane([&](int i) { return values.lane[i] > 0.0f ? values.lane[i] : values.lane[i] * slope; });
}
inline Vector operator+(Vector a, float b) { return a + splat(b); }
inline Vector operator/(Vector a, Vector b) {
    return by_lane([&](int i) { return a.lane[i] / b.lane[i]; });
}
inline Vector smaller(Vector a, Vector b) {
    return by_lane([&](int i) { return b.lane[i] < a.lane[i] ? b.lane[i] : a.lane[i]; });
}
inline Vector larger(Vector a, Vector b) {
    return by_lane([&](int i) { return b.lane[i] > a.lane[i] ? b.lane[i] : a.lane[i]; });
}
inline Vector absolute(Vector values) {
    return by_lane([&](int i) { return std::fabs(values.lane[i]); });
}
inline Vector choose_if_negative(Vector values, Vector negative, Vector other) {
    return by_lane([&](int i) { return values.lane[i] < 0.0f ? negative.lane[i] : other.lane[i]; });
}
inline Vector exponential(Vector values) {
    return by_lane([&](int i) { return std::exp(values.lane[i]); });
}
inline void prefetch(const float*) {}
#define ESCN_UNROLL
#endif

inline Vector load(const float* from) {
    Vector values;
    std::memcpy(&values, from, sizeof(values));
    return values;
}

inline void store(float* to, Vector values) { std::memcpy(to, &values, sizeof(values)); }

}  // namespace
}  // namespace escn::network
