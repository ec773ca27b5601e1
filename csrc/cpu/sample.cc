#include "cpu/sample.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "cpu/rows.h"
#include "cpu/thread_pool.h"

namespace escn::cpu {
namespace {

constexpr int kZ = 0, kY = 1, kX = 2;

// Slices along z that are processed together, so that vectors run across them.
constexpr int64_t kLanes = 16;

// Output rows along y per task: enough that most voxels are read from the L1 or L2 cache, and few enough that
// all cores are busy.
constexpr int64_t kRowsPerTask = 4;

// The axis with the smallest stride: the scan is contiguous along it, or most nearly so.
int nearest_axis(const Size& size, const Triple<int64_t>& stride) {
    const auto cost = [&](int axis) {
        return size[axis] == 1 || stride[axis] == 0 ? INT64_MAX : std::abs(stride[axis]);
    };
    int nearest = kX;
    for (int axis : {kZ, kY}) {
        if (cost(axis) < cost(nearest)) nearest = axis;
    }
    return nearest;
}

// Operators are applied along y, then x, then z, whatever the scan's memory order. Only the y operator reads
// the scan. Its vectors run along x or z, whichever has the smaller stride; a scan contiguous along y is
// first transposed in small windows.
template <typename T>
class Sweep {
  public:
    Sweep(const View<const T>& scan, const Sampling& sampling, const View<float>& output)
        : y_(sampling.taps[kY]),
          x_(sampling.taps[kX]),
          z_(sampling.taps[kZ]),
          sampling_(sampling),
          output_(output),
          stride_(scan.stride),
          corner_(scan.data + z_.begin * stride_[kZ] + y_.begin * stride_[kY] + x_.begin * stride_[kX]),
          nearest_(nearest_axis(scan.size, scan.stride)) {}

    int64_t tasks() const { return (y_.size() + kRowsPerTask - 1) / kRowsPerTask; }

    void work(Tasks& tasks) const {
        Scratch scratch;
        scratch.lines.resize(kRowsPerTask * kLanes * x_.extent);
        scratch.columns.resize(x_.extent * depth());
        scratch.resized.resize(kRowsPerTask * x_.size() * depth());
        scratch.slices.resize(z_.extent * x_.size());
        for (int64_t task; tasks.take(task);) {
            const int64_t begin = task * kRowsPerTask;
            const int64_t end = std::min(begin + kRowsPerTask, y_.size());
            if (beside_) {
                // There is nothing to read.
            } else if (nearest_ == kZ) {
                resize_columns(begin, end, scratch);
            } else {
                resize_lines(begin, end, scratch);
            }
            for (int64_t o = begin; o < end; ++o) {
                combine_slices(o, scratch.resized.data() + (o - begin) * x_.size() * depth(),
                               scratch.slices.data());
            }
        }
    }

  private:
    struct Scratch {
        std::vector<float> window;   // [y][x]
        std::vector<float> lines;    // [output y][lane][x]
        std::vector<float> columns;  // [x][lane] or [x][z]
        std::vector<float> resized;  // [output y][output x][z]
        std::vector<float> slices;   // [z][output x]
    };

    // Slices along z, rounded up to whole vectors.
    int64_t depth() const { return (z_.extent + kLanes - 1) / kLanes * kLanes; }

    // Resizes along y and x, for a scan with the smallest stride along z.
    void resize_columns(int64_t begin, int64_t end, Scratch& scratch) const {
        const T* lowest = stride_[kZ] < 0 ? corner_ + (z_.extent - 1) * stride_[kZ] : corner_;
        for (int64_t o = begin; o < end; ++o) {
            if (y_.count[o] == 0) continue;
            for (int64_t x = 0; x < x_.extent; ++x) {
                const T* first = lowest + y_.first[o] * stride_[kY] + x * stride_[kX];
                scan_rows<T>(functions_)
                    .sum(first, stride_[kY], std::abs(stride_[kZ]), &y_.weights[o * y_.stride], y_.count[o],
                         z_.extent, &scratch.columns[x * depth()]);
            }
            functions_.apply_taps(scratch.columns.data(), depth(), x_.rows(), x_.size(), z_.extent,
                                  scratch.resized.data() + (o - begin) * x_.size() * depth(), depth());
        }
    }

    // Resizes along y and x, for a scan with the smallest stride along x or y.
    void resize_lines(int64_t begin, int64_t end, Scratch& scratch) const {
        const bool backwards = nearest_ == kX && stride_[kX] < 0;
        float* columns = scratch.columns.data();
        float* first_column = backwards ? columns + (x_.extent - 1) * kLanes : columns;
        for (int64_t z = 0; z < z_.extent; z += kLanes) {
            const int64_t lanes = std::min(kLanes, z_.extent - z);
            for (int64_t lane = 0; lane < lanes; ++lane) {
                read_lines(z + lane, begin, end, scratch, lane);
            }
            for (int64_t o = begin; o < end; ++o) {
                functions_.float_rows.transpose(scratch.lines.data() + (o - begin) * kLanes * x_.extent,
                                                x_.extent, 1, kLanes, x_.extent, first_column,
                                                backwards ? -kLanes : kLanes);
                functions_.apply_taps(columns, kLanes, x_.rows(), x_.size(), kLanes,
                                      scratch.resized.data() + (o - begin) * x_.size() * depth() + z,
                                      depth());
            }
        }
    }

    // Resizes slice z along y, into one lane of the output rows [begin, end). If x has the smallest stride
    // and is flipped, the lines are written in reverse.
    void read_lines(int64_t z, int64_t begin, int64_t end, Scratch& scratch, int64_t lane) const {
        const T* slice = corner_ + z * stride_[kZ];
        if (nearest_ == kX) {
            const T* lowest = stride_[kX] < 0 ? slice + (x_.extent - 1) * stride_[kX] : slice;
            for (int64_t o = begin; o < end; ++o) {
                sum_along_y(lowest + y_.first[o] * stride_[kY], stride_[kY], std::abs(stride_[kX]), o,
                            line(scratch, o - begin, lane));
            }
            return;
        }
        int64_t first = y_.extent;
        int64_t stop = 0;
        for (int64_t o = begin; o < end; ++o) {
            if (y_.count[o] == 0) continue;
            first = std::min<int64_t>(first, y_.first[o]);
            stop = std::max<int64_t>(stop, y_.first[o] + y_.count[o]);
        }
        if (first >= stop) return;
        const int64_t height = stop - first;
        scratch.window.resize(std::max<size_t>(scratch.window.size(), height * x_.extent));
        const bool backwards = stride_[kY] < 0;
        float* window = scratch.window.data();
        scan_rows<T>(functions_)
            .transpose(slice + (backwards ? stop - 1 : first) * stride_[kY], stride_[kX],
                       std::abs(stride_[kY]), x_.extent, height,
                       backwards ? window + (height - 1) * x_.extent : window,
                       backwards ? -x_.extent : x_.extent);
        for (int64_t o = begin; o < end; ++o) {
            sum_along_y(window + (y_.first[o] - first) * x_.extent, x_.extent, 1, o,
                        line(scratch, o - begin, lane));
        }
    }

    float* line(Scratch& scratch, int64_t row, int64_t lane) const {
        return scratch.lines.data() + (row * kLanes + lane) * x_.extent;
    }

    template <typename Voxel>
    void sum_along_y(const Voxel* first, int64_t tap_stride, int64_t stride, int64_t o, float* out) const {
        if (y_.count[o] == 0) return;
        scan_rows<Voxel>(functions_)
            .sum(first, tap_stride, stride, &y_.weights[o * y_.stride], y_.count[o], x_.extent, out);
    }

    // Resizes along z, adds the HU outside the scan and maps intensities.
    void combine_slices(int64_t o, const float* resized, float* slices) const {
        const bool backwards = nearest_ == kZ && stride_[kZ] < 0;
        const int64_t width = x_.size();
        const bool inside = !beside_ && y_.count[o] > 0;
        float* out = output_.data + o * output_.stride[kY];
        if (inside) {
            functions_.float_rows.transpose(resized, depth(), 1, width, z_.extent,
                                            backwards ? slices + (z_.extent - 1) * width : slices,
                                            backwards ? -width : width);
            functions_.apply_taps(slices, width, z_.rows(), z_.size(), width, out, output_.stride[kZ]);
        }
        for (int64_t i = 0; i < z_.size(); ++i) {
            float* row = out + i * output_.stride[kZ];
            if (!inside) std::fill(row, row + width, 0.0f);
            functions_.finish(row, x_.inside.data(), y_.inside[o] * z_.inside[i], sampling_.outside_hu,
                              sampling_.intensity, width);
        }
    }

    const TapTable& y_;
    const TapTable& x_;
    const TapTable& z_;
    const Sampling& sampling_;
    const View<float> output_;
    const Triple<int64_t> stride_;
    const T* const corner_;
    const int nearest_;
    const bool beside_ = x_.extent == 0 || z_.extent == 0;  // the output is outside the scan
    const RowFunctions& functions_ = row_functions();
};

}  // namespace

void sample(const ScanView& scan, const Sampling& sampling, const View<float>& output, int threads) {
    visit(scan, [&](auto view) {
        using T = std::remove_const_t<std::remove_pointer_t<decltype(view.data)>>;
        const Sweep<T> sweep(view, sampling, output);
        ThreadPool(threads).run(sweep.tasks(), [&](Tasks& tasks) { sweep.work(tasks); });
    });
}

}  // namespace escn::cpu
