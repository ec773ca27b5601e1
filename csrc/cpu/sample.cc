#include "cpu/sample.h"

#include <algorithm>
#include <array>
#include <vector>

#include "cpu/rows.h"
#include "cpu/threads.h"

namespace escn::cpu {
namespace {

// Which axis plays which part. Rows of the scan run along `row`; a task is one output index along `task`; the
// operator along `last` combines the results of whole rows.
struct Roles {
    int row;
    int task;
    int last;
};

Roles choose_roles(const Size& size, const Triple<int64_t>& stride) {
    const auto cost = [&](int axis) { return size[axis] == 1 ? INT64_MAX : std::abs(stride[axis]); };
    constexpr int z = 0, y = 1, x = 2;
    int row = x;
    if (cost(y) < cost(row)) row = y;
    if (cost(z) < cost(row)) row = z;
    // Rows of the output are contiguous along x: where those of the scan are not, x comes last.
    if (row != x) return {row, row == y ? z : y, x};
    return cost(y) <= cost(z) ? Roles{x, y, z} : Roles{x, z, y};
}

template <typename T>
class Sweep {
  public:
    Sweep(const View<const T>& scan, const Sampling& sampling, const View<float>& output)
        : roles_(choose_roles(scan.size, scan.stride)),
          row_taps_(sampling.taps[roles_.row]),
          task_taps_(sampling.taps[roles_.task]),
          last_taps_(sampling.taps[roles_.last]),
          sampling_(sampling),
          output_(output) {
        Triple<bool> flipped;
        const View<const T> view = unflipped(scan, flipped);
        if (flipped[roles_.row]) row_taps_.mirror();
        if (flipped[roles_.task]) task_taps_.mirror();
        if (flipped[roles_.last]) last_taps_.mirror();
        row_stride_ = view.stride[roles_.row];
        task_stride_ = view.stride[roles_.task];
        last_stride_ = view.stride[roles_.last];
        window_ = view.data + row_taps_.begin * row_stride_ + task_taps_.begin * task_stride_ +
                  last_taps_.begin * last_stride_;
    }

    int64_t tasks() const { return task_taps_.size(); }

    void work(Tasks& tasks) const {
        std::vector<float> line(row_taps_.extent + kRowSlack);
        std::vector<float> rows(row_taps_.size() * last_taps_.extent);
        std::vector<float> tile(row_taps_.size() * last_taps_.size());
        for (int64_t o; tasks.take(o);) {
            read_rows(o, line.data(), rows.data());
            combine_rows(o, rows.data(), tile.data());
            store(o, tile.data());
        }
    }

  private:
    // The operators along `task` and `row`: one row for each scan index along `last`.
    void read_rows(int64_t o, float* line, float* rows) const {
        const int32_t count = task_taps_.count[o];
        if (count == 0) return;
        const T* start = window_ + task_taps_.first[o] * task_stride_;
        const float* weights = &task_taps_.weights[o * task_taps_.stride];
        for (int64_t i = 0; i < last_taps_.extent; ++i) {
            scan_rows<T>(functions_)
                .sum(start + i * last_stride_, task_stride_, row_stride_, weights, count, row_taps_.extent,
                     line);
            functions_.apply_taps(line, row_taps_.rows(), row_taps_.size(), rows + i * row_taps_.size());
        }
    }

    // The operator along `last`, and what lies outside the scan.
    void combine_rows(int64_t o, const float* rows, float* tile) const {
        const int64_t width = row_taps_.size();
        for (int64_t l = 0; l < last_taps_.size(); ++l) {
            float* out = tile + l * width;
            const int32_t count = task_taps_.count[o] == 0 ? 0 : last_taps_.count[l];
            if (count == 0) {
                std::fill(out, out + width, 0.0f);
            } else {
                functions_.float_rows.sum(rows + last_taps_.first[l] * width, width, 1,
                                          &last_taps_.weights[l * last_taps_.stride], count, width, out);
            }
            functions_.finish(out, row_taps_.inside.data(), task_taps_.inside[o] * last_taps_.inside[l],
                              sampling_.outside_hu, sampling_.intensity, width);
        }
    }

    void store(int64_t o, const float* tile) const {
        const int64_t width = row_taps_.size();
        const int64_t height = last_taps_.size();
        float* out = output_.data + o * output_.stride[roles_.task];
        const int64_t along_row = output_.stride[roles_.row];
        const int64_t along_last = output_.stride[roles_.last];
        if (along_row == 1) {
            for (int64_t l = 0; l < height; ++l) {
                std::copy(tile + l * width, tile + (l + 1) * width, out + l * along_last);
            }
            return;
        }
        for (int64_t r = 0; r < width; ++r) {
            for (int64_t l = 0; l < height; ++l) out[r * along_row + l * along_last] = tile[l * width + r];
        }
    }

    const Roles roles_;
    TapTable row_taps_;
    TapTable task_taps_;
    TapTable last_taps_;
    const Sampling& sampling_;
    const View<float> output_;
    const RowFunctions& functions_ = row_functions();
    int64_t row_stride_;
    int64_t task_stride_;
    int64_t last_stride_;
    const T* window_;
};

}  // namespace

void sample(const ScanView& scan, const Sampling& sampling, const View<float>& output, int threads) {
    visit(scan, [&](auto view) {
        using T = std::remove_const_t<std::remove_pointer_t<decltype(view.data)>>;
        const Sweep<T> sweep(view, sampling, output);
        run(threads, sweep.tasks(), [&](Tasks& tasks) { sweep.work(tasks); });
    });
}

}  // namespace escn::cpu
