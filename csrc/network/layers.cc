#include "network/layers.h"

#include <algorithm>
#include <array>

namespace escn::network {
namespace {

constexpr int kTaps = 27;
constexpr int kParts = 64;

// The transform of three taps along one axis.
constexpr double kOfTaps[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

std::array<double, kParts> transformed(const float* taps) {
    std::array<double, kParts> parts{};
    for (int part = 0; part < kParts; ++part) {
        const double* z = kOfTaps[part / 16];
        const double* y = kOfTaps[part / 4 % 4];
        const double* x = kOfTaps[part % 4];
        for (int tap = 0; tap < kTaps; ++tap)
            parts[part] += z[tap / 9] * y[tap / 3 % 3] * x[tap % 3] * taps[tap];
    }
    return parts;
}

Buffer copied(const std::vector<float>& values) {
    Buffer buffer(static_cast<int64_t>(values.size()));
    std::copy(values.begin(), values.end(), buffer.data());
    return buffer;
}

Buffer pack_tiles(const Weights& weights) {
    Buffer packed(kParts * weights.inputs * weights.outputs);
    const int64_t panel = panel_width(kernels().lanes, static_cast<int32_t>(weights.outputs));
    for (int64_t n = 0; n < weights.outputs; ++n) {
        for (int64_t k = 0; k < weights.inputs; ++k) {
            const auto parts = transformed(weights.kernel.data() + (n * weights.inputs + k) * kTaps);
            float* to = packed.data() + n / panel * panel * weights.inputs + k * panel + n % panel;
            for (int part = 0; part < kParts; ++part) {
                to[part * weights.inputs * weights.outputs] = static_cast<float>(parts[part]);
            }
        }
    }
    return packed;
}

// Packs a kernel [column][row] as [column / panel][row][panel], the last panel padded with zeros.
Buffer pack(const Weights& weights, int64_t rows, int64_t panel) {
    Buffer packed((weights.outputs + panel - 1) / panel * panel * rows);
    for (int64_t n = 0; n < weights.outputs; ++n) {
        for (int64_t k = 0; k < rows; ++k) {
            packed.data()[(n / panel * rows + k) * panel + n % panel] = weights.kernel[n * rows + k];
        }
    }
    return packed;
}

}  // namespace

TileLayer::TileLayer(const Weights& weights, float slope)
    : weights_(pack_tiles(weights)),
      bias_(copied(weights.bias)),
      view_{static_cast<int32_t>(weights.inputs), static_cast<int32_t>(weights.outputs), weights_.data(),
            bias_.data(), slope} {}

ImageLayer::ImageLayer(const Weights& weights, float slope)
    : weights_(pack(weights, kTaps, panel_width(kernels().lanes, static_cast<int32_t>(weights.outputs)))),
      bias_(copied(weights.bias)),
      view_{static_cast<int32_t>(weights.outputs), weights_.data(), bias_.data(), slope} {}

HeadLayer::HeadLayer(const Weights& weights)
    : weights_(pack(weights, weights.inputs, kernels().lanes)),
      bias_(copied(weights.bias)),
      view_{static_cast<int32_t>(weights.outputs), weights_.data(), bias_.data()} {}

}  // namespace escn::network
