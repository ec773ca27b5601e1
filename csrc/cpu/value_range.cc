#include "cpu/value_range.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <mutex>

#include "cpu/thread_pool.h"

namespace escn::cpu {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

RowRange value_range(const ScanView& scan, int threads) {
    Triple<int> axes = {0, 1, 2};
    std::sort(axes.begin(), axes.end(),
              [&](int a, int b) { return std::abs(scan.stride[a]) > std::abs(scan.stride[b]); });
    const auto [outer, middle, inner] = axes;
    RowRange all = {kInfinity, -kInfinity, 0};
    std::mutex mutex;
    visit(scan, [&, outer = outer, middle = middle, inner = inner](auto view) {
        using T = std::remove_const_t<std::remove_pointer_t<decltype(view.data)>>;
        // Reads in memory order; flipped axes are read backwards.
        for (int axis = 0; axis < 3; ++axis) {
            view.data += std::min<int64_t>(view.stride[axis], 0) * (view.size[axis] - 1);
            view.stride[axis] = std::abs(view.stride[axis]);
        }
        ThreadPool(thread_count(threads)).run(view.size[outer], [&](Tasks& tasks) {
            RowRange own = {kInfinity, -kInfinity, 0};
            for (int64_t i; tasks.take(i);) {
                for (int64_t j = 0; j < view.size[middle]; ++j) {
                    scan_rows<T>(row_functions())
                        .range(view.data + i * view.stride[outer] + j * view.stride[middle],
                               view.stride[inner], view.size[inner], &own);
                }
            }
            const std::lock_guard<std::mutex> lock(mutex);
            all.min = std::min(all.min, own.min);
            all.max = std::max(all.max, own.max);
            all.nonfinite += own.nonfinite;
        });
    });
    return all;
}

}  // namespace escn::cpu
