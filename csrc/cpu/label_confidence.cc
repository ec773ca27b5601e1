#include "cpu/label_confidence.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>

#include "cpu/rows.h"
#include "cpu/thread_pool.h"
#include "resample/confidence.h"

namespace escn::cpu {
namespace {

constexpr int64_t kPlanes = 8;  // of a task, which also looks at the plane that follows

using Sums = std::vector<LabelConfidence>;

struct Plane {
    std::vector<uint8_t> labels, doubts;
    std::vector<uint16_t> confidences;
};

// Calls visitor(i) for each i < size where a[i] and b[i] differ.
template <typename Visitor>
void visit_differences(const uint8_t* a, const uint8_t* b, int64_t size, Visitor&& visitor) {
    constexpr int64_t kWord = sizeof(uint64_t);
    for (int64_t begin = 0; begin < size; begin += kWord) {
        const int64_t end = std::min(begin + kWord, size);
        if (std::memcmp(a + begin, b + begin, static_cast<std::size_t>(end - begin)) == 0) continue;
        for (int64_t i = begin; i < end; ++i) {
            if (a[i] != b[i]) visitor(i);
        }
    }
}

class Sweep {
  public:
    Sweep(const float* probabilities, int64_t classes, const Size& size, const VoxelBox& box)
        : probabilities_(probabilities),
          classes_(static_cast<int32_t>(classes)),
          size_(size),
          box_(box),
          background_(rows() * columns()) {}

    // None if a plane of the box has no voxel.
    int64_t tasks() const { return rows() * columns() == 0 ? 0 : (depth() + kPlanes - 1) / kPlanes; }

    void run(Tasks& tasks, Sums* sums) const {
        Plane here = plane(), next = plane();
        for (int64_t task; tasks.take(task);) {
            const int64_t begin = task * kPlanes;
            const int64_t end = std::min(begin + kPlanes, depth());
            judge(begin, &here);
            for (int64_t z = begin; z < end; ++z) {
                add_voxels(here, sums);
                add_faces_within(here, sums);
                if (z + 1 == depth()) break;
                judge(z + 1, &next);
                add_faces(here, 0, next, 0, rows() * columns(), sums);
                std::swap(here, next);
            }
        }
    }

  private:
    int64_t depth() const { return box_.stop[0] - box_.start[0]; }
    int64_t rows() const { return box_.stop[1] - box_.start[1]; }
    int64_t columns() const { return box_.stop[2] - box_.start[2]; }

    Plane plane() const {
        const auto voxels = static_cast<std::size_t>(rows() * columns());
        return {std::vector<uint8_t>(voxels), std::vector<uint8_t>(voxels), std::vector<uint16_t>(voxels)};
    }

    // Fills `plane` with what is known of the voxels at z, which counts from the box.
    void judge(int64_t z, Plane* plane) const {
        for (int64_t y = 0; y < rows(); ++y) {
            const int64_t source =
                ((box_.start[0] + z) * size_[1] + box_.start[1] + y) * size_[2] + box_.start[2];
            const int64_t target = y * columns();
            functions_.judge(probabilities_ + source, size_[0] * size_[1] * size_[2], classes_, columns(),
                             &plane->labels[target], &plane->doubts[target], &plane->confidences[target]);
        }
    }

    void add_voxels(const Plane& plane, Sums* sums) const {
        visit_differences(plane.labels.data(), background_.data(), rows() * columns(), [&](int64_t i) {
            LabelConfidence& sum = (*sums)[plane.labels[i]];
            ++sum.voxels;
            sum.confidence += plane.confidences[i];
        });
        visit_differences(plane.doubts.data(), background_.data(), rows() * columns(), [&](int64_t i) {
            if (plane.doubts[i] == kUnsound) ++(*sums)[plane.labels[i]].unsound;
        });
    }

    void add_faces_within(const Plane& plane, Sums* sums) const {
        for (int64_t y = 0; y < rows(); ++y) {
            const int64_t row = y * columns();
            add_faces(plane, row, plane, row + 1, columns() - 1, sums);
            if (y + 1 < rows()) add_faces(plane, row, plane, row + columns(), columns(), sums);
        }
    }

    // Adds the faces between the voxels from `a_begin` on and those from `b_begin` on.
    static void add_faces(const Plane& a, int64_t a_begin, const Plane& b, int64_t b_begin, int64_t size,
                          Sums* sums) {
        visit_differences(a.labels.data() + a_begin, b.labels.data() + b_begin, size, [&](int64_t i) {
            const bool doubtful = a.doubts[a_begin + i] != kClear && b.doubts[b_begin + i] != kClear;
            for (const uint8_t label : {a.labels[a_begin + i], b.labels[b_begin + i]}) {
                if (label == 0) continue;
                ++(*sums)[label].faces;
                (*sums)[label].doubtful_faces += doubtful ? 1 : 0;
            }
        });
    }

    const float* probabilities_;
    const int32_t classes_;
    const Size size_;
    const VoxelBox box_;
    const std::vector<uint8_t> background_;  // a plane of zeros: no label, no doubt
    const RowFunctions& functions_ = row_functions();
};

}  // namespace

std::vector<LabelConfidence> label_confidence(const float* probabilities, int64_t classes, const Size& size,
                                              const VoxelBox& box, int threads) {
    if (classes < 1 || classes > kUnsettled) {
        throw std::invalid_argument("probabilities must hold 1 to " + std::to_string(kUnsettled) +
                                    " classes, found " + std::to_string(classes) + ".");
    }
    const Sweep sweep(probabilities, classes, size, box);
    Sums sums(classes);
    std::mutex mutex;
    ThreadPool(thread_count(threads)).run(sweep.tasks(), [&](Tasks& tasks) {
        Sums own(classes);
        sweep.run(tasks, &own);
        const std::lock_guard<std::mutex> lock(mutex);
        for (int64_t c = 0; c < classes; ++c) {
            sums[c].voxels += own[c].voxels;
            sums[c].confidence += own[c].confidence;
            sums[c].faces += own[c].faces;
            sums[c].doubtful_faces += own[c].doubtful_faces;
            sums[c].unsound += own[c].unsound;
        }
    });
    return sums;
}

}  // namespace escn::cpu
