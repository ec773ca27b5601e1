#include "cpu/write_labels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>

#include "cpu/linear_axis.h"
#include "cpu/rows.h"
#include "cpu/thread_pool.h"
#include "geometry/text.h"
#include "resample/label.h"

namespace escn::cpu {
namespace {

constexpr int kZ = 0, kY = 1, kX = 2;

// Rows along x in a tile, as many as a cache line has bytes. Tiles collect labels for a map that is not
// contiguous along x.
constexpr int64_t kTileRows = 64;

// The shortest stretch of settled intervals that is worth skipping.
constexpr int64_t kWorthSkipping = 8;

class Writer {
  public:
    Writer(const float* probabilities, int64_t classes, const SegmentationPlan& plan,
           const View<uint8_t>& labels)
        : probabilities_(probabilities),
          classes_(static_cast<int32_t>(classes)),
          labels_(labels),
          z_(plan, kZ),
          y_(plan, kY),
          x_(plan, kX),
          intervals_(x_),
          row_size_(x_.source_size),
          plane_size_(row_size_ * y_.source_size),
          class_size_(plane_size_ * z_.source_size),
          settled_(class_size_) {}

    int64_t planes() const { return z_.source_size; }

    void settle(Tasks& tasks) {
        for (int64_t z; tasks.take(z);) {
            functions_.settle(probabilities_ + z * plane_size_, class_size_, classes_, plane_size_,
                              &settled_[z * plane_size_]);
        }
    }

    // A task is a tile: one index along the outer of the axes z and y, and a block of rows along
    // the inner one.
    int64_t tiles() const { return labels_.size[outer_] * blocks(); }

    void write(Tasks& tasks, uint64_t* counts) const {
        Scratch scratch;
        scratch.agreed.resize(row_size_ + 2);
        scratch.blended.resize((row_size_ + 2) * classes_);
        scratch.between.resize(intervals_.count);
        if (!rows_contiguous_) scratch.tile.resize(kTileRows * tile_stride_);
        for (int64_t task; tasks.take(task);) {
            const int64_t outer = task / blocks();
            const int64_t inner = task % blocks() * kTileRows;
            const int64_t rows = std::min(kTileRows, labels_.size[inner_] - inner);
            uint8_t* corner = labels_.data + outer * labels_.stride[outer_] + inner * labels_.stride[inner_];
            for (int64_t r = 0; r < rows; ++r) {
                Index at = {};
                at[outer_] = outer;
                at[inner_] = inner + r;
                uint8_t* row = corner + r * labels_.stride[inner_];
                if (!rows_contiguous_) {
                    row = &scratch.tile[r * tile_stride_];
                } else if (backwards_) {
                    row -= x_.image_size - 1;
                }
                write_row(at[kZ], at[kY], row, scratch, counts);
            }
            if (!rows_contiguous_) store(scratch.tile.data(), rows, corner);
        }
    }

  private:
    struct Scratch {
        std::vector<uint8_t> agreed;   // settled labels that four source rows share, edges repeated
        std::vector<float> blended;    // [class][source], edges repeated
        std::vector<uint8_t> between;  // labels, one per interval
        std::vector<uint8_t> tile;
    };

    int64_t blocks() const { return (labels_.size[inner_] + kTileRows - 1) / kTileRows; }

    // Sets labels [begin, end) of a row; `row` is its lowest address.
    void fill(uint8_t* row, int64_t begin, int64_t end, uint8_t label) const {
        std::memset(row + (backwards_ ? x_.image_size - end : begin), label, end - begin);
    }

    void write_row(int64_t z, int64_t y, uint8_t* row, Scratch& scratch, uint64_t* counts) const {
        if (!z_.holds(z) || !y_.holds(y) || x_.begin >= x_.end) {
            fill(row, 0, x_.image_size, 0);
            counts[0] += x_.image_size;
            return;
        }
        fill(row, 0, x_.begin, 0);
        fill(row, x_.end, x_.image_size, 0);
        counts[0] += x_.image_size - (x_.end - x_.begin);

        const LinearTap z_tap = z_.tap(z);
        const LinearTap y_tap = y_.tap(y);
        const int64_t sources[4] = {z_tap.left * plane_size_ + y_tap.left * row_size_,
                                    z_tap.left * plane_size_ + y_tap.right * row_size_,
                                    z_tap.right * plane_size_ + y_tap.left * row_size_,
                                    z_tap.right * plane_size_ + y_tap.right * row_size_};
        const uint8_t* const settled[4] = {&settled_[sources[0]], &settled_[sources[1]],
                                           &settled_[sources[2]], &settled_[sources[3]]};
        uint8_t* agreed = scratch.agreed.data();
        functions_.agree(settled, row_size_, agreed + 1);
        agreed[0] = agreed[1];
        agreed[row_size_ + 1] = agreed[row_size_];

        const auto label_of = [&](int64_t i) {
            return agreed[i] == agreed[i + 1] ? static_cast<int32_t>(agreed[i]) : kUnsettled;
        };
        for (int64_t i = 0; i < intervals_.count;) {
            const int32_t label = label_of(i);
            int64_t stop = i + 1;
            if (label != kUnsettled) {
                while (stop < intervals_.count && label_of(stop) == label) ++stop;
            } else {
                // Interpolates short settled stretches too: starting again after them costs more.
                for (int64_t j = stop; j < std::min(stop + kWorthSkipping, intervals_.count); ++j) {
                    if (label_of(j) == kUnsettled) stop = j + 1;
                }
            }
            const int64_t begin = intervals_.starts[i];
            const int64_t end = intervals_.starts[stop];
            if (label != kUnsettled) {
                fill(row, begin, end, static_cast<uint8_t>(label));
                counts[label] += end - begin;
            } else if (begin < end) {
                const float y_weights[2] = {y_tap.left_weight, y_tap.right_weight};
                const float z_weights[2] = {z_tap.left_weight, z_tap.right_weight};
                blend_sources(sources, y_weights, z_weights, i, stop, scratch.blended.data());
                resolve(i, stop, row, scratch, counts);
            }
            i = stop;
        }
    }

    // Interpolates the probabilities around intervals [begin, end) from four source rows.
    void blend_sources(const int64_t sources[4], const float y_weights[2], const float z_weights[2],
                       int64_t begin, int64_t end, float* blended) const {
        const int64_t first = std::max<int64_t>(begin - 1, 0);
        const int64_t stop = std::min(end, row_size_);
        for (int32_t c = 0; c < classes_; ++c, blended += row_size_ + 2) {
            const float* base = probabilities_ + c * class_size_ + first;
            const float* const rows[4] = {base + sources[0], base + sources[1], base + sources[2],
                                          base + sources[3]};
            functions_.blend4(rows, y_weights, z_weights, stop - first, blended + first + 1);
            if (begin == 0) blended[0] = blended[1];
            if (end > row_size_) blended[row_size_ + 1] = blended[row_size_];
        }
    }

    // Writes the labels of the voxels in intervals [begin, end), from the interpolated probabilities.
    void resolve(int64_t begin, int64_t end, uint8_t* row, Scratch& scratch, uint64_t* counts) const {
        uint8_t* between = scratch.between.data();
        for (int64_t k = 0; k < intervals_.depth; ++k) {
            const int64_t weights = k * intervals_.count + begin;
            functions_.label_between(scratch.blended.data() + begin, row_size_ + 2, classes_,
                                     &intervals_.left_weights[weights], &intervals_.right_weights[weights],
                                     end - begin, between);
            for (int64_t i = begin; i < end; ++i) {
                const int64_t x = intervals_.starts[i] + k;
                if (x >= intervals_.starts[i + 1]) continue;
                const uint8_t label = between[i - begin];
                row[backwards_ ? x_.image_size - 1 - x : x] = label;
                ++counts[label];
            }
        }
    }

    // Stores a tile of rows in the label map, in the map's memory order.
    void store(const uint8_t* tile, int64_t rows, uint8_t* corner) const {
        const int64_t inner_stride = labels_.stride[inner_];
        const int64_t x_stride = labels_.stride[kX];
        const int64_t size = x_.image_size;
        if (std::abs(inner_stride) < std::abs(x_stride)) {
            for (int64_t x = 0; x < size; ++x) {
                uint8_t* column = corner + x * x_stride;
                for (int64_t r = 0; r < rows; ++r) column[r * inner_stride] = tile[r * tile_stride_ + x];
            }
            return;
        }
        for (int64_t r = 0; r < rows; ++r) {
            uint8_t* row = corner + r * inner_stride;
            for (int64_t x = 0; x < size; ++x) row[x * x_stride] = tile[r * tile_stride_ + x];
        }
    }

    const float* probabilities_;
    const int32_t classes_;
    const View<uint8_t> labels_;
    const LinearAxis z_, y_, x_;
    const LinearIntervals intervals_;
    const int64_t row_size_;
    const int64_t plane_size_;
    const int64_t class_size_;
    const bool rows_contiguous_ = std::abs(labels_.stride[kX]) == 1;
    const bool backwards_ = labels_.stride[kX] == -1;
    // An odd number of cache lines. A tile is read across its rows, which must not share their cache sets.
    const int64_t tile_stride_ = ((x_.image_size + 63) / 64 | 1) * 64;
    const int inner_ = std::abs(labels_.stride[kY]) <= std::abs(labels_.stride[kZ]) ? kY : kZ;
    const int outer_ = inner_ == kY ? kZ : kY;
    const RowFunctions& functions_ = row_functions();
    std::vector<uint8_t> settled_;
};

}  // namespace

std::vector<uint64_t> write_labels(const float* probabilities, int64_t classes, const SegmentationPlan& plan,
                                   const View<uint8_t>& labels, int threads) {
    if (labels.size != plan.image_size) {
        throw std::invalid_argument("labels has the size " + to_text(labels.size) +
                                    " but the plan was made for " + to_text(plan.image_size) + " (z, y, x).");
    }
    if (classes < 1 || classes > kUnsettled) {
        throw std::invalid_argument("probabilities must hold 1 to " + std::to_string(kUnsettled) +
                                    " classes, found " + std::to_string(classes) + ".");
    }
    ThreadPool pool(thread_count(threads));
    Writer writer(probabilities, classes, plan, labels);
    pool.run(writer.planes(), [&](Tasks& tasks) { writer.settle(tasks); });

    std::vector<uint64_t> counts(classes);
    std::mutex mutex;
    pool.run(writer.tiles(), [&](Tasks& tasks) {
        std::vector<uint64_t> own(classes);
        writer.write(tasks, own.data());
        const std::lock_guard<std::mutex> lock(mutex);
        for (int64_t c = 0; c < classes; ++c) counts[c] += own[c];
    });
    return counts;
}

}  // namespace escn::cpu
