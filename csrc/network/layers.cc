#include "network/layers.h"

#include <algorithm>
#include <array>

namespace escn::network {
namespace {

constexpr int kTaps = 27;
constexpr int kParts = 64;

// Transforms three taps along one axis, in `rows` places. A tap, and a result, is `rows` values.
template <int rows>
void transform(const double* taps, double* out) {
    for (int i = 0; i < rows; ++i) {
        const double a = taps[i], b = taps[rows + i], c = taps[2 * rows + i];
        out[i] = a;
        out[rows + i] = (a + b + c) / 2;
        out[2 * rows + i] = (a - b + c) / 2;
        out[3 * rows + i] = c;
    }
}

std::array<double, kParts> transformed(const float* taps) {
    std::array<double, kTaps> values{};
    std::array<double, 36> along_z{};
    std::array<double, 48> along_y{};
    std::array<double, kParts> parts{};
    std::copy_n(taps, kTaps, values.begin());
    transform<9>(values.data(), along_z.data());
    for (int z = 0; z < 4; ++z) transform<3>(along_z.data() + 9 * z, along_y.data() + 12 * z);
    for (int row = 0; row < 16; ++row) transform<1>(along_y.data() + 3 * row, parts.data() + 4 * row);
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
    for (int64_t k = 0; k < weights.inputs; ++k) {
        for (int64_t n = 0; n < weights.outputs; ++n) {
            const auto parts = transformed(weights.kernel.data() + (n * weights.inputs + k) * kTaps);
            float* to = packed.data() + n / panel * panel * weights.inputs + k * panel + n % panel;
            for (int part = 0; part < kParts; ++part) {
                to[part * weights.inputs * weights.outputs] = static_cast<float>(parts[part]);
            }
        }
    }
    return packed;
}

// Returns a kernel [output][input][tap] as [output][tap][input].
Weights taps_first(const Weights& weights) {
    Weights turned = weights;
    const int64_t inputs = weights.inputs;
    for (int64_t n = 0; n < weights.outputs; ++n) {
        for (int64_t i = 0; i < kTaps * inputs; ++i) {
            turned.kernel[n * kTaps * inputs + i % kTaps * inputs + i / kTaps] =
                weights.kernel[n * kTaps * inputs + i];
        }
    }
    return turned;
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
    : weights_(pack(taps_first(weights), kTaps * weights.inputs,
                    panel_width(kernels().lanes, static_cast<int32_t>(weights.outputs)))),
      bias_(copied(weights.bias)),
      view_{static_cast<int32_t>(weights.inputs), static_cast<int32_t>(weights.outputs), weights_.data(),
            bias_.data(), slope} {}

HeadLayer::HeadLayer(const Weights& weights)
    : weights_(pack(weights, weights.inputs, kernels().lanes)),
      bias_(copied(weights.bias)),
      view_{static_cast<int32_t>(weights.outputs), weights_.data(), bias_.data()} {}

}  // namespace escn::network
