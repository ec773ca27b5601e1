#include "cpu/value_summary.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <mutex>

#include "cpu/rows.h"
#include "cpu/thread_pool.h"

namespace escn::cpu {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Found {
    RowRange range = {kInfinity, -kInfinity, 0};
    std::array<uint64_t, kValueBins> counts = {};

    void add(const Found& other) {
        range.min = std::min(range.min, other.range.min);
        range.max = std::max(range.max, other.range.max);
        range.nonfinite += other.range.nonfinite;
        for (int bin = 0; bin < kValueBins; ++bin) counts[bin] += other.counts[bin];
    }
};

template <typename T>
void count(const T* row, int64_t stride, int64_t size, Found* found) {
    for (int64_t i = 0; i < size; ++i) {
        const auto value = static_cast<float>(row[i * stride]);
        if (is_finite(value)) ++found->counts[value_bin(value)];
    }
}

}  // namespace

ValueSummary value_summary(const ScanView& scan, int threads) {
    Triple<int> axes = {0, 1, 2};
    std::sort(axes.begin(), axes.end(),
              [&](int a, int b) { return std::abs(scan.stride[a]) > std::abs(scan.stride[b]); });
    const auto [outer, middle, inner] = axes;
    Found all;
    std::mutex mutex;
    visit(scan, [&, outer = outer, middle = middle, inner = inner](auto view) {
        using T = std::remove_const_t<std::remove_pointer_t<decltype(view.data)>>;
        // Reads in memory order; flipped axes are read backwards.
        for (int axis = 0; axis < 3; ++axis) {
            view.data += std::min<int64_t>(view.stride[axis], 0) * (view.size[axis] - 1);
            view.stride[axis] = std::abs(view.stride[axis]);
        }
        const int64_t step =
            rows_per_counted_row(view.size[0] * view.size[1] * view.size[2], view.size[middle]);
        ThreadPool(thread_count(threads)).run(view.size[outer], [&](Tasks& tasks) {
            Found own;
            for (int64_t i; tasks.take(i);) {
                for (int64_t j = 0; j < view.size[middle]; ++j) {
                    const T* row = view.data + i * view.stride[outer] + j * view.stride[middle];
                    scan_rows<T>(row_functions())
                        .range(row, view.stride[inner], view.size[inner], &own.range);
                    if ((i * view.size[middle] + j) % step == 0) {
                        count(row, view.stride[inner], view.size[inner], &own);
                    }
                }
            }
            const std::lock_guard<std::mutex> lock(mutex);
            all.add(own);
        });
    });
    const auto nonfinite = static_cast<uint64_t>(all.range.nonfinite);
    return {all.range.min, all.range.max, nonfinite, all.counts};
}

}  // namespace escn::cpu
