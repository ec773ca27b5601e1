#include "cpu/label_statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <type_traits>
#include <utility>

#include "cpu/label_runs.h"
#include "cpu/thread_pool.h"
#include "resample/mask_box.h"

namespace escn::cpu {
namespace {

constexpr double kShareOnEachSide = 0.25;

using Runs = std::vector<LabelRun>;

// The sum of the integers in [begin, end).
double sum_of_range(int64_t begin, int64_t end) {
    return 0.5 * static_cast<double>(end - begin) * static_cast<double>(begin + end - 1);
}

// The runs of the label on both sides of its division.
std::pair<Runs, Runs> sides_of(const LabelRuns& all, const Division& division) {
    struct Piece {
        int64_t size = 0, lower = 0;
        double sum = 0;
    };
    // The first index of the side of higher x.
    const auto plane = static_cast<int32_t>(std::ceil(division.middle));
    std::vector<Piece> pieces(all.pieces);
    for (const LabelRun& run : all.runs) {
        if (run.label != division.label) continue;
        Piece& piece = pieces[run.piece];
        piece.size += run.size();
        piece.lower += std::clamp(plane, run.begin, run.end) - run.begin;
        piece.sum += sum_of_range(run.begin, run.end);
    }
    std::pair<Runs, Runs> sides;
    for (const LabelRun& run : all.runs) {
        if (run.label != division.label) continue;
        const Piece& piece = pieces[run.piece];
        const auto size = static_cast<double>(piece.size);
        const double share = static_cast<double>(piece.lower) / size;
        int32_t end = piece.sum / size < division.middle ? run.end : run.begin;
        if (share >= kShareOnEachSide && share <= 1 - kShareOnEachSide) {
            end = std::clamp(plane, run.begin, run.end);
        }
        LabelRun lower = run, higher = run;
        lower.end = higher.begin = end;
        if (lower.size() > 0) sides.first.push_back(lower);
        if (higher.size() > 0) sides.second.push_back(higher);
    }
    return sides;
}

void find_place(const Runs& runs, LabelStatistics* found) {
    Triple<IndexRange> ranges;
    Triple<double> sums = {};
    std::map<int32_t, uint64_t> pieces;
    for (const LabelRun& run : runs) {
        include(ranges[0], run.z);
        include(ranges[1], run.y);
        include(ranges[2], run.begin);
        include(ranges[2], run.end - 1);
        const auto size = static_cast<double>(run.size());
        sums[0] += size * static_cast<double>(run.z);
        sums[1] += size * static_cast<double>(run.y);
        sums[2] += sum_of_range(run.begin, run.end);
        found->voxels += static_cast<uint64_t>(run.size());
        pieces[run.piece] += static_cast<uint64_t>(run.size());
    }
    if (runs.empty()) return;
    for (int axis = 0; axis < 3; ++axis) {
        found->first[axis] = ranges[axis].first;
        found->last[axis] = ranges[axis].last;
        found->centre[axis] = sums[axis] / static_cast<double>(found->voxels);
    }
    for (const auto& [piece, size] : pieces) found->pieces.push_back(size);
    std::sort(found->pieces.rbegin(), found->pieces.rend());
}

template <typename T>
std::vector<float> values_of(const Runs& runs, uint64_t voxels, const View<const T>& scan) {
    std::vector<float> values;
    values.reserve(voxels);
    for (const LabelRun& run : runs) {
        const T* row = scan.data + run.z * scan.stride[0] + run.y * scan.stride[1];
        for (int64_t x = run.begin; x < run.end; ++x) {
            const auto value = static_cast<float>(row[x * scan.stride[2]]);
            if (std::isfinite(value)) values.push_back(value);
        }
    }
    return values;
}

// Finite values by their rank. A histogram, with a bin for each whole number of 16 bits, leaves few to sort.
class Ranks {
  public:
    // `whole`: all values are whole numbers.
    Ranks(const std::vector<float>& values, bool whole) : values_(values), whole_(whole), counts_(kBins) {
        for (const float value : values) ++counts_[bin_of(value)];
    }

    // The value of `rank`, from 0.
    float at(std::size_t rank) const {
        int bin = 0;
        for (; rank >= counts_[bin]; ++bin) rank -= counts_[bin];
        if (whole_ && bin > 0 && bin < kBins - 1) return static_cast<float>(bin) - kOffset;
        std::vector<float> same;
        same.reserve(counts_[bin]);
        for (const float value : values_) {
            if (bin_of(value) == bin) same.push_back(value);
        }
        std::nth_element(same.begin(), same.begin() + static_cast<std::ptrdiff_t>(rank), same.end());
        return same[rank];
    }

  private:
    static constexpr int kBins = 1 << 16;
    static constexpr float kOffset = kBins / 2;

    // Grows with the value; the outer bins hold what lies beyond.
    static int bin_of(float value) {
        return static_cast<int>(std::min(std::max(value + kOffset, 0.0f), static_cast<float>(kBins - 1)));
    }

    const std::vector<float>& values_;
    const bool whole_;
    std::vector<uint32_t> counts_;
};

void find_intensities(const std::vector<float>& values, bool whole, LabelStatistics* found) {
    const std::size_t count = values.size();
    found->values = count;
    if (count == 0) return;
    double sum = 0, squares = 0;
    for (const float value : values) sum += value;
    found->mean = sum / static_cast<double>(count);
    for (const float value : values) squares += (value - found->mean) * (value - found->mean);
    if (count > 1) found->deviation = std::sqrt(squares / static_cast<double>(count - 1));
    const Ranks ranks(values, whole);
    for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
        const double place = kPercentiles[i] * static_cast<double>(count - 1);
        const auto lower = static_cast<std::size_t>(place);
        const double at = ranks.at(lower), next = ranks.at(std::min(lower + 1, count - 1));
        found->percentiles[i] = at + (place - static_cast<double>(lower)) * (next - at);
    }
}

}  // namespace

std::vector<LabelStatistics> label_statistics(const View<const uint8_t>& labels, const ScanView& scan,
                                              int64_t highest, const std::optional<Division>& division,
                                              int threads) {
    const LabelRuns all = label_runs(labels, threads);
    std::vector<Runs> groups(highest);
    for (const LabelRun& run : all.runs) {
        if (run.label <= highest) groups[run.label - 1].push_back(run);
    }
    if (division) {
        auto [lower, higher] = sides_of(all, *division);
        groups.push_back(std::move(lower));
        groups.push_back(std::move(higher));
    }
    std::vector<LabelStatistics> statistics(groups.size());
    ThreadPool(thread_count(threads)).for_each(static_cast<int64_t>(groups.size()), [&](int64_t i) {
        find_place(groups[i], &statistics[i]);
        visit(scan, [&](auto view) {
            using T = std::remove_const_t<std::remove_pointer_t<decltype(view.data)>>;
            const std::vector<float> values = values_of(groups[i], statistics[i].voxels, view);
            find_intensities(values, std::is_integral_v<T>, &statistics[i]);
        });
    });
    return statistics;
}

}  // namespace escn::cpu
