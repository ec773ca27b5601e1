// Vectors of ESCN_LANES floats, for the kernels that are compiled once per instruction set.
#pragma once

#include <cstring>

namespace escn::unet {
namespace {

constexpr int kLanes = ESCN_LANES;

#if defined(__GNUC__)
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

inline Vector splat(float value) { return value - Vector{}; }
inline Vector leaky(Vector values, float slope) {
    const Vector scaled = values * slope;
    return values > 0.0f ? values : scaled;
}
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
#define ESCN_UNROLL
#endif

inline Vector load(const float* from) {
    Vector values;
    std::memcpy(&values, from, sizeof(values));
    return values;
}

inline void store(float* to, Vector values) { std::memcpy(to, &values, sizeof(values)); }

}  // namespace
}  // namespace escn::unet
