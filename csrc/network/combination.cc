#include "network/combination.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "cpu/thread_pool.h"
#include "geometry/text.h"
#include "network/kernels.h"

namespace escn::network {
namespace {

constexpr int kTaps = 4;

// The kernels' rows are multiples of this.
constexpr int64_t kRowMultiple = 16;

double cubic(double distance) {
    constexpr double a = -0.5;
    const double d = std::fabs(distance);
    return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

// The four taps of an upsampled voxel. `first` is the first tap's index, relative to the small voxel that the
// upsampled voxel lies in.
struct Phase {
    int64_t first;
    std::array<float, kTaps> weights;
};

template <int64_t STRIDE>
using Phases = std::array<Phase, STRIDE>;

template <int64_t STRIDE>
Phases<STRIDE> phases() {
    Phases<STRIDE> all{};
    for (int64_t i = 0; i < STRIDE; ++i) {
        const double position = (static_cast<double>(i) + 0.5) / STRIDE - 0.5;
        all[i].first = static_cast<int64_t>(std::floor(position)) - 1;
        for (int tap = 0; tap < kTaps; ++tap) {
            all[i].weights[tap] =
                static_cast<float>(cubic(position - static_cast<double>(all[i].first + tap)));
        }
    }
    return all;
}

// out[i] = the weighted sum of the four taps of upsampled voxel `at`; a tap is a row of `width` floats.
template <int64_t STRIDE>
void upsample_rows(const float* in, int64_t rows, int64_t width, int64_t at, const Phases<STRIDE>& phase,
                   float* out) {
    const Phase& taps = phase[at % STRIDE];
    const float* from[kTaps];
    for (int tap = 0; tap < kTaps; ++tap) {
        from[tap] = in + std::clamp<int64_t>(at / STRIDE + taps.first + tap, 0, rows - 1) * width;
    }
    const auto& w = taps.weights;
    for (int64_t i = 0; i < width; ++i) {
        out[i] = w[0] * from[0][i] + w[1] * from[1][i] + w[2] * from[2][i] + w[3] * from[3][i];
    }
}

// Upsamples a row, in all phases. `bordered` has two extra voxels on either side.
template <int64_t STRIDE>
void upsample_row(const float* bordered, int64_t size, const Phases<STRIDE>& phase, float* out) {
    for (int64_t p = 0; p < STRIDE; ++p) {
        const float* from = bordered + 2 + phase[p].first;
        const auto& w = phase[p].weights;
        for (int64_t i = 0; i < size; ++i) {
            out[STRIDE * i + p] =
                w[0] * from[i] + w[1] * from[i + 1] + w[2] * from[i + 2] + w[3] * from[i + 3];
        }
    }
}

template <int64_t STRIDE>
void pool_by(const float* image, const float* logits, int64_t labels, const Size& size, Prediction prediction,
             float* pooled, int threads) {
    constexpr float share = 1.0f / (STRIDE * STRIDE * STRIDE);
    const Size small = small_size(size, STRIDE);
    const auto add = prediction == Prediction::kSoftmax ? kernels().add_softmax : kernels().add_sigmoids;
    const int64_t channels = 1 + labels, width = size[2], volume = size[0] * size[1] * width;
    cpu::ThreadPool(cpu::thread_count(threads)).run(small[0] * small[1], [&](cpu::Tasks& tasks) {
        std::vector<float> sums(channels * width);
        std::vector<const float*> from(labels);
        std::vector<float*> to(labels);
        for (int64_t label = 0; label < labels; ++label) to[label] = sums.data() + (1 + label) * width;
        for (int64_t task = 0; tasks.take(task);) {
            std::fill(sums.begin(), sums.end(), 0.0f);
            for (int64_t i = 0; i < STRIDE * STRIDE; ++i) {
                const int64_t z = task / small[1] * STRIDE + i / STRIDE;
                const int64_t y = task % small[1] * STRIDE + i % STRIDE;
                const int64_t at = (z * size[1] + y) * width;
                for (int64_t x = 0; x < width; ++x) sums[x] += image[at + x];
                for (int64_t label = 0; label < labels; ++label) from[label] = logits + label * volume + at;
                add(static_cast<int32_t>(labels), width, from.data(), to.data());
            }
            for (int64_t channel = 0; channel < channels; ++channel) {
                float* out = pooled + (channel * small[0] * small[1] + task) * small[2];
                for (int64_t x = 0; x < small[2]; ++x) {
                    const float* of = sums.data() + channel * width + STRIDE * x;
                    float sum = of[0];
                    for (int64_t i = 1; i < STRIDE; ++i) sum += of[i];
                    out[x] = sum * share;
                }
            }
        }
    });
}

template <int64_t STRIDE>
void combine_by(float* values, const float* spatial, int64_t labels, const Size& size, float* background,
                int threads) {
    const Size small = small_size(size, STRIDE);
    const int64_t plane = small[1] * small[2];
    const auto phase = phases<STRIDE>();
    cpu::ThreadPool(cpu::thread_count(threads)).run(size[0], [&](cpu::Tasks& tasks) {
        std::vector<float> planes(labels * plane), bordered(small[2] + 4), rows(labels * size[2]);
        std::vector<const float*> from(labels);
        std::vector<float*> to(labels);
        for (int64_t label = 0; label < labels; ++label) from[label] = rows.data() + label * size[2];
        for (int64_t z = 0; tasks.take(z);) {
            for (int64_t label = 0; label < labels; ++label) {
                upsample_rows<STRIDE>(spatial + label * small[0] * plane, small[0], plane, z, phase,
                                      planes.data() + label * plane);
            }
            for (int64_t y = 0; y < size[1]; ++y) {
                for (int64_t label = 0; label < labels; ++label) {
                    float* row = bordered.data() + 2;
                    upsample_rows<STRIDE>(planes.data() + label * plane, small[1], small[2], y, phase, row);
                    row[-2] = row[-1] = row[0];
                    row[small[2]] = row[small[2] + 1] = row[small[2] - 1];
                    upsample_row<STRIDE>(bordered.data(), small[2], phase, rows.data() + label * size[2]);
                    to[label] = values + ((label * size[0] + z) * size[1] + y) * size[2];
                }
                float* rest = background ? background + (z * size[1] + y) * size[2] : nullptr;
                kernels().combine(static_cast<int32_t>(labels), size[2], to.data(), from.data(), to.data(),
                                  rest);
            }
        }
    });
}

// Calls `run` with the stride as a constant.
template <typename Run>
void with_constant(int64_t stride, Run run) {
    switch (stride) {
        case 2:
            return run(std::integral_constant<int64_t, 2>());
        case 4:
            return run(std::integral_constant<int64_t, 4>());
        case 8:
            return run(std::integral_constant<int64_t, 8>());
        default:
            throw std::invalid_argument("The stride must be 2, 4 or 8, found " + std::to_string(stride) +
                                        ".");
    }
}

}  // namespace

Size small_size(const Size& size, int64_t stride) {
    with_constant(stride, [](auto) {});
    for (int axis = 0; axis < 3; ++axis) {
        const int64_t multiple = axis == 2 ? kRowMultiple : stride;
        if (size[axis] < 1 || size[axis] % multiple != 0) {
            throw std::invalid_argument("The local logits must have a multiple of " + std::to_string(stride) +
                                        " voxels along z and y and of 16 along x, found " + to_text(size) +
                                        ".");
        }
    }
    return {size[0] / stride, size[1] / stride, size[2] / stride};
}

void pool_inputs(const float* image, const float* logits, int64_t labels, const Size& size, int64_t stride,
                 Prediction prediction, float* pooled, int threads) {
    with_constant(stride, [&](auto constant) {
        pool_by<constant()>(image, logits, labels, size, prediction, pooled, threads);
    });
}

void combine(float* values, const float* spatial, int64_t labels, const Size& size, int64_t stride,
             float* background, int threads) {
    with_constant(stride, [&](auto constant) {
        combine_by<constant()>(values, spatial, labels, size, background, threads);
    });
}

}  // namespace escn::network
