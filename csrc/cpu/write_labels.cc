#include "cpu/write_labels.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>

#include "cpu/rows.h"
#include "cpu/threads.h"
#include "geometry/text.h"
#include "resample/label.h"
#include "resample/linear.h"

namespace escn::cpu {
namespace {

constexpr int kZ = 0, kY = 1, kX = 2;

// Rows of the label map along x that a tile holds before they are stored across a map whose x is not
// contiguous: as many as fill a cache line.
constexpr int64_t kTileRows = 64;

// Output voxels of the image along one axis, and the source voxels each is blended from.
struct Axis {
    Axis(const SegmentationPlan& plan, int axis)
        : image_size(plan.image_size[axis]),
          begin(plan.croppings[axis].before),
          end(plan.image_size[axis] - plan.croppings[axis].after),
          offset(plan.paddings[axis].before - begin),
          source_size(static_cast<int32_t>(plan.input_size[axis])),
          cropped_size(static_cast<int32_t>(plan.cropped_size[axis])) {}

    bool holds(int64_t index) const { return index >= begin && index < end; }

    LinearTap tap(int64_t index) const {
        return linear_tap(static_cast<int32_t>(index + offset), source_size, cropped_size);
    }

    int64_t image_size;
    int64_t begin;  // image voxels [begin, end) lie in the crop
    int64_t end;
    int64_t offset;  // from an image voxel to one of the padded crop
    int32_t source_size;
    int32_t cropped_size;
};

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
          row_size_(x_.source_size),
          plane_size_(row_size_ * y_.source_size),
          class_size_(plane_size_ * z_.source_size),
          settled_(class_size_) {
        for (int64_t x = x_.begin; x < x_.end; ++x) taps_.push_back(x_.tap(x));
        // Output voxels of source interval j, from voxel j to the next, are [starts_[j], starts_[j + 1]).
        starts_.assign(row_size_ + 1, x_.end);
        int64_t j = 0;
        for (int64_t x = x_.begin; x < x_.end; ++x) {
            for (; j <= taps_[x - x_.begin].left; ++j) starts_[j] = x;
        }
    }

    int64_t planes() const { return z_.source_size; }

    void settle(Tasks& tasks) {
        for (int64_t z; tasks.take(z);) {
            functions_.settle(probabilities_ + z * plane_size_, class_size_, classes_, plane_size_,
                              &settled_[z * plane_size_]);
        }
    }

    // Tasks are tiles: an index along the label map's outer axis and a block along its inner one, x aside.
    int64_t tiles() const { return labels_.size[outer_] * blocks(); }

    void write(Tasks& tasks, uint64_t* counts) const {
        Scratch scratch;
        scratch.agreed.resize(row_size_);
        scratch.blended.resize(row_size_ * classes_);
        if (!rows_contiguous_) scratch.tile.resize(kTileRows * x_.image_size);
        for (int64_t task; tasks.take(task);) {
            const int64_t outer = task / blocks();
            const int64_t inner = task % blocks() * kTileRows;
            const int64_t rows = std::min(kTileRows, labels_.size[inner_] - inner);
            uint8_t* corner = labels_.data + outer * labels_.stride[outer_] + inner * labels_.stride[inner_];
            for (int64_t r = 0; r < rows; ++r) {
                uint8_t* row =
                    rows_contiguous_ ? corner + r * labels_.stride[inner_] : &scratch.tile[r * x_.image_size];
                Index at = {};
                at[outer_] = outer;
                at[inner_] = inner + r;
                write_row(at[kZ], at[kY], row, scratch, counts);
            }
            if (!rows_contiguous_) store(scratch.tile.data(), rows, corner);
        }
    }

  private:
    struct Scratch {
        std::vector<uint8_t> agreed;
        std::vector<float> blended;
        std::vector<uint8_t> tile;
    };

    int64_t blocks() const { return (labels_.size[inner_] + kTileRows - 1) / kTileRows; }

    void write_row(int64_t z, int64_t y, uint8_t* row, Scratch& scratch, uint64_t* counts) const {
        if (!z_.holds(z) || !y_.holds(y) || x_.begin >= x_.end) {
            std::memset(row, 0, x_.image_size);
            counts[0] += x_.image_size;
            return;
        }
        std::memset(row, 0, x_.begin);
        std::memset(row + x_.end, 0, x_.image_size - x_.end);
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
        functions_.agree(settled, row_size_, agreed);

        const auto label_between = [&](int64_t j) {
            const uint8_t next = agreed[std::min(j + 1, row_size_ - 1)];
            return agreed[j] == next ? static_cast<int32_t>(next) : kUnsettled;
        };
        for (int64_t j = 0; j < row_size_;) {
            const int32_t label = label_between(j);
            int64_t stop = j + 1;
            while (stop < row_size_ && label_between(stop) == label) ++stop;
            const int64_t begin = starts_[j];
            const int64_t end = starts_[stop];
            if (label != kUnsettled) {
                std::memset(row + begin, label, end - begin);
                counts[label] += end - begin;
            } else if (begin < end) {
                resolve(sources, y_tap, z_tap, begin, end, row, scratch.blended.data(), counts);
            }
            j = stop;
        }
    }

    // Labels [begin, end) of a row from the blended probabilities of the source rows around it.
    void resolve(const int64_t sources[4], const LinearTap& y_tap, const LinearTap& z_tap, int64_t begin,
                 int64_t end, uint8_t* row, float* blended, uint64_t* counts) const {
        const float y_weights[2] = {y_tap.left_weight, y_tap.right_weight};
        const float z_weights[2] = {z_tap.left_weight, z_tap.right_weight};
        const int64_t first = taps_[begin - x_.begin].left;
        const int64_t size = taps_[end - 1 - x_.begin].right + 1 - first;
        for (int32_t c = 0; c < classes_; ++c) {
            const float* base = probabilities_ + c * class_size_ + first;
            const float* const rows[4] = {base + sources[0], base + sources[1], base + sources[2],
                                          base + sources[3]};
            functions_.blend4(rows, y_weights, z_weights, size, blended + c * row_size_);
        }
        for (int64_t x = begin; x < end; ++x) {
            const LinearTap& tap = taps_[x - x_.begin];
            const auto probability = [&](int32_t c) {
                const float* line = blended + c * row_size_ - first;
                return blend(line[tap.left], line[tap.right], tap.left_weight, tap.right_weight);
            };
            Argmax argmax = first_class(probability(0));
            for (int32_t c = 1; c < classes_; ++c) argmax = next_class(argmax, c, probability(c));
            row[x] = static_cast<uint8_t>(argmax.label);
            ++counts[argmax.label];
        }
    }

    // Stores a tile of rows across a label map, in the order of its memory.
    void store(const uint8_t* tile, int64_t rows, uint8_t* corner) const {
        const int64_t inner_stride = labels_.stride[inner_];
        const int64_t x_stride = labels_.stride[kX];
        const int64_t size = x_.image_size;
        if (std::abs(inner_stride) < std::abs(x_stride)) {
            for (int64_t x = 0; x < size; ++x) {
                uint8_t* column = corner + x * x_stride;
                for (int64_t r = 0; r < rows; ++r) column[r * inner_stride] = tile[r * size + x];
            }
            return;
        }
        for (int64_t r = 0; r < rows; ++r, tile += size) {
            uint8_t* row = corner + r * inner_stride;
            if (x_stride == -1) {
                std::reverse_copy(tile, tile + size, row - (size - 1));
            } else {
                for (int64_t x = 0; x < size; ++x) row[x * x_stride] = tile[x];
            }
        }
    }

    const float* probabilities_;
    const int32_t classes_;
    const View<uint8_t> labels_;
    const Axis z_, y_, x_;
    const int64_t row_size_;
    const int64_t plane_size_;
    const int64_t class_size_;
    const bool rows_contiguous_ = labels_.stride[kX] == 1;
    const int inner_ = std::abs(labels_.stride[kY]) <= std::abs(labels_.stride[kZ]) ? kY : kZ;
    const int outer_ = inner_ == kY ? kZ : kY;
    const RowFunctions& functions_ = row_functions();
    std::vector<uint8_t> settled_;
    std::vector<LinearTap> taps_;
    std::vector<int64_t> starts_;
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
    const int workers = thread_count(threads);
    Writer writer(probabilities, classes, plan, labels);
    run(workers, writer.planes(), [&](Tasks& tasks) { writer.settle(tasks); });

    std::vector<uint64_t> counts(classes);
    std::mutex mutex;
    run(workers, writer.tiles(), [&](Tasks& tasks) {
        std::vector<uint64_t> own(classes);
        writer.write(tasks, own.data());
        const std::lock_guard<std::mutex> lock(mutex);
        for (int64_t c = 0; c < classes; ++c) counts[c] += own[c];
    });
    return counts;
}

}  // namespace escn::cpu
