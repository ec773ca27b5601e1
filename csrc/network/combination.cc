#include "network/combination.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "cpu/thread_pool.h"
#include "geometry/text.h"
#include "network/kernels.h"

namespace escn::network {
namespace {

constexpr int kTaps = 4;

void check(const Size& size) {
    for (int axis = 0; axis < 3; ++axis) {
        const int64_t multiple = axis == 2 ? kRowMultiple : kStride;
        if (size[axis] < 1 || size[axis] % multiple != 0) {
            throw std::invalid_argument(
                "The local logits must have a multiple of 4 voxels along z and y and of 16 along x, found " +
                to_text(size) + ".");
        }
    }
}

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

std::array<Phase, kStride> phases() {
    std::array<Phase, kStride> all{};
    for (int64_t i = 0; i < kStride; ++i) {
        const double position = (static_cast<double>(i) + 0.5) / kStride - 0.5;
        all[i].first = static_cast<int64_t>(std::floor(position)) - 1;
        for (int tap = 0; tap < kTaps; ++tap) {
            all[i].weights[tap] =
                static_cast<float>(cubic(position - static_cast<double>(all[i].first + tap)));
        }
    }
    return all;
}

// out[i] = the weighted sum of the four taps of upsampled voxel `at`; a tap is a row of `width` floats.
void upsample_rows(const float* in, int64_t rows, int64_t width, int64_t at,
                   const std::array<Phase, kStride>& phase, float* out) {
    const Phase& taps = phase[at % kStride];
    const float* from[kTaps];
    for (int tap = 0; tap < kTaps; ++tap) {
        from[tap] = in + std::clamp<int64_t>(at / kStride + taps.first + tap, 0, rows - 1) * width;
    }
    const auto& w = taps.weights;
    for (int64_t i = 0; i < width; ++i) {
        out[i] = w[0] * from[0][i] + w[1] * from[1][i] + w[2] * from[2][i] + w[3] * from[3][i];
    }
}

// Upsamples a row, in all four phases. `bordered` has two extra voxels on either side.
void upsample_row(const float* bordered, int64_t size, const std::array<Phase, kStride>& phase, float* out) {
    for (int64_t p = 0; p < kStride; ++p) {
        const float* from = bordered + 2 + phase[p].first;
        const auto& w = phase[p].weights;
        for (int64_t i = 0; i < size; ++i) {
            out[kStride * i + p] =
                w[0] * from[i] + w[1] * from[i + 1] + w[2] * from[i + 2] + w[3] * from[i + 3];
        }
    }
}

}  // namespace

void pool_inputs(const float* image, const float* logits, int64_t labels, const Size& size, float* pooled,
                 int threads) {
    check(size);
    const Size small = small_size(size);
    constexpr float share = 1.0f / (kStride * kStride * kStride);
    cpu::ThreadPool(cpu::thread_count(threads)).run((1 + labels) * small[0], [&](cpu::Tasks& tasks) {
        std::vector<float> sums(size[2]);
        for (int64_t task = 0; tasks.take(task);) {
            for (int64_t y = 0; y < small[1]; ++y) {
                std::fill(sums.begin(), sums.end(), 0.0f);
                for (int64_t i = 0; i < kStride * kStride; ++i) {
                    const int64_t plane = task * kStride + i / kStride, row = y * kStride + i % kStride;
                    const int64_t at = (plane * size[1] + row) * size[2];
                    if (plane < size[0]) {
                        for (int64_t x = 0; x < size[2]; ++x) sums[x] += image[at + x];
                    } else {
                        kernels().add_sigmoids(logits + at - size[0] * size[1] * size[2], size[2],
                                               sums.data());
                    }
                }
                float* out = pooled + (task * small[1] + y) * small[2];
                for (int64_t x = 0; x < small[2]; ++x) {
                    const float* of = sums.data() + kStride * x;
                    out[x] = (of[0] + of[1] + of[2] + of[3]) * share;
                }
            }
        }
    });
}

void combine(float* values, const float* spatial, int64_t labels, const Size& size, int threads) {
    check(size);
    const Size small = small_size(size);
    const int64_t plane = small[1] * small[2];
    const auto phase = phases();
    cpu::ThreadPool(cpu::thread_count(threads)).run(size[0], [&](cpu::Tasks& tasks) {
        std::vector<float> planes(labels * plane), bordered(small[2] + 4), rows(labels * size[2]);
        std::vector<const float*> from(labels);
        std::vector<float*> to(labels);
        for (int64_t label = 0; label < labels; ++label) from[label] = rows.data() + label * size[2];
        for (int64_t z = 0; tasks.take(z);) {
            for (int64_t label = 0; label < labels; ++label) {
                upsample_rows(spatial + label * small[0] * plane, small[0], plane, z, phase,
                              planes.data() + label * plane);
            }
            for (int64_t y = 0; y < size[1]; ++y) {
                for (int64_t label = 0; label < labels; ++label) {
                    float* row = bordered.data() + 2;
                    upsample_rows(planes.data() + label * plane, small[1], small[2], y, phase, row);
                    row[-2] = row[-1] = row[0];
                    row[small[2]] = row[small[2] + 1] = row[small[2] - 1];
                    upsample_row(bordered.data(), small[2], phase, rows.data() + label * size[2]);
                    to[label] = values + ((label * size[0] + z) * size[1] + y) * size[2];
                }
                kernels().combine(static_cast<int32_t>(labels), size[2], to.data(), from.data(), to.data());
            }
        }
    });
}

}  // namespace escn::network
