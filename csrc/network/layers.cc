#include "network/layers.h"

#include <algorithm>

namespace escn::network {
namespace {

constexpr int kTaps = 27;

// Transforms three taps along one axis. A tap, and a result, is `size` values.
void transform(const double* taps, int64_t size, double* out) {
    constexpr double a = kPoint, a2 = a * a, b2 = 1 / a2;
    constexpr double of_a = 1 / (2 * a2 * (a2 - b2)), of_b = 1 / (2 * b2 * (b2 - a2));
    for (int64_t i = 0; i < size; ++i) {
        const double first = taps[i], second = taps[size + i], third = taps[2 * size + i];
        out[i] = first;
        out[size + i] = of_a * (first + a * second + a2 * third);
        out[2 * size + i] = of_a * (first - a * second + a2 * third);
        out[3 * size + i] = of_b * (first + second / a + b2 * third);
        out[4 * size + i] = of_b * (first - second / a + b2 * third);
        out[5 * size + i] = third;
    }
}

Buffer copied(const std::vector<float>& values) {
    Buffer buffer(static_cast<int64_t>(values.size()));
    std::copy(values.begin(), values.end(), buffer.data());
    return buffer;
}

Buffer pack_tiles(const Weights& weights) {
    const int64_t inputs = weights.inputs, outputs = weights.outputs;
    const int64_t panel = panel_width(kernels().lanes, static_cast<int32_t>(outputs));
    Buffer packed(kParts * inputs * outputs);
    std::vector<double> taps(kTaps * panel), along_z(9 * kPoints * panel), parts(kParts * panel);
    std::vector<double> along_y(3 * kPoints * kPoints * panel);
    for (int64_t first = 0; first < outputs; first += panel) {
        for (int64_t k = 0; k < inputs; ++k) {
            for (int64_t i = 0; i < kTaps * panel; ++i) {
                taps[i] = weights.kernel[((first + i % panel) * inputs + k) * kTaps + i / panel];
            }
            transform(taps.data(), 9 * panel, along_z.data());
            for (int64_t z = 0; z < kPoints; ++z) {
                transform(&along_z[9 * z * panel], 3 * panel, &along_y[3 * kPoints * z * panel]);
            }
            for (int64_t i = 0; i < kPoints * kPoints; ++i) {
                transform(&along_y[3 * i * panel], panel, &parts[kPoints * i * panel]);
            }
            for (int64_t part = 0; part < kParts; ++part) {
                std::copy_n(&parts[part * panel], panel,
                            packed.data() + (part * outputs + first) * inputs + k * panel);
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
