#include "cpu/label_runs.h"

#include <utility>

#include "cpu/thread_pool.h"

namespace escn::cpu {
namespace {

// Where the runs of a row are.
struct Row {
    int64_t begin = 0, end = 0;
};

std::vector<LabelRun> runs_of_slice(const View<const uint8_t>& labels, int32_t z) {
    std::vector<LabelRun> runs;
    for (int32_t y = 0; y < labels.size[1]; ++y) {
        const uint8_t* row = labels.data + z * labels.stride[0] + y * labels.stride[1];
        for (int32_t x = 0; x < labels.size[2];) {
            const uint8_t label = row[x * labels.stride[2]];
            const int32_t begin = x++;
            while (x < labels.size[2] && row[x * labels.stride[2]] == label) ++x;
            if (label != 0) runs.push_back({z, y, begin, x, 0, label});
        }
    }
    return runs;
}

// Disjoint sets of runs; the first run of a set stands for it.
class Sets {
  public:
    explicit Sets(std::size_t count) : first_(count) {
        for (std::size_t i = 0; i < count; ++i) first_[i] = static_cast<int64_t>(i);
    }

    int64_t first_of(int64_t run) {
        while (first_[run] != run) run = first_[run] = first_[first_[run]];
        return run;
    }

    void join(int64_t one, int64_t other) {
        one = first_of(one);
        other = first_of(other);
        if (one < other) std::swap(one, other);
        first_[one] = other;
    }

  private:
    std::vector<int64_t> first_;
};

void join_rows(const std::vector<LabelRun>& runs, Row one, Row other, Sets* sets) {
    for (int64_t i = one.begin; i < one.end; ++i) {
        while (other.begin < other.end && runs[other.begin].end < runs[i].begin) ++other.begin;
        for (int64_t j = other.begin; j < other.end && runs[j].begin <= runs[i].end; ++j) {
            if (runs[i].label == runs[j].label) sets->join(i, j);
        }
    }
}

}  // namespace

LabelRuns label_runs(const View<const uint8_t>& labels, int threads) {
    const auto [depth, height, width] = labels.size;
    std::vector<std::vector<LabelRun>> slices(depth);
    ThreadPool(thread_count(threads)).for_each(depth, [&](int64_t z) {
        slices[z] = runs_of_slice(labels, static_cast<int32_t>(z));
    });
    LabelRuns found;
    std::vector<Row> rows(depth * height);
    for (auto& slice : slices) {
        for (const LabelRun& run : std::exchange(slice, {})) {
            Row& row = rows[run.z * height + run.y];
            if (row.end == 0) row.begin = static_cast<int64_t>(found.runs.size());
            found.runs.push_back(run);
            row.end = static_cast<int64_t>(found.runs.size());
        }
    }
    Sets sets(found.runs.size());
    for (int64_t z = 0; z < depth; ++z) {
        for (int64_t y = 0; y < height; ++y) {
            const Row& row = rows[z * height + y];
            if (y > 0) join_rows(found.runs, row, rows[z * height + y - 1], &sets);
            for (int64_t above = y - 1; z > 0 && above <= y + 1; ++above) {
                if (above < 0 || above >= height) continue;
                join_rows(found.runs, row, rows[(z - 1) * height + above], &sets);
            }
        }
    }
    for (std::size_t i = 0; i < found.runs.size(); ++i) {
        const int64_t first = sets.first_of(static_cast<int64_t>(i));
        const bool begins = first == static_cast<int64_t>(i);
        found.runs[i].piece = begins ? found.pieces++ : found.runs[first].piece;
    }
    return found;
}

}  // namespace escn::cpu
