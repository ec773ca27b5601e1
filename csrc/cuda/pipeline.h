// Runs both stages on a device, from a scan to its labels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "cpu/label_confidence.h"
#include "cpu/sample.h"
#include "cuda/driver/device.h"
#include "cuda/kernels/value_summary.h"
#include "cuda/label_stream.h"
#include "cuda/memory/arena.h"
#include "cuda/network_runner.h"
#include "cuda/scan_stream.h"
#include "engine/network.h"
#include "geometry/localization_plan.h"
#include "geometry/segmentation_plan.h"

namespace escn::cuda {

enum class Stage { kLocalizationInput, kLocalization, kSegmentationInput, kSegmentation, kLabels };
inline constexpr int kStages = 5;

// Callbacks during a run. Each may throw to end the run.
struct Observer {
    std::function<void(Stage)> begin = [](Stage) {};  // before the stage's work is queued
    std::function<void(const ValueSummary&)> values = [](const ValueSummary&) {};
};

struct RunResult {
    LocalizationPlan localization;
    SegmentationPlan segmentation;
    bool found = false;            // whether the mask has any voxel; if not, the box covers the scan
    std::vector<uint64_t> counts;  // voxels per label
    std::vector<cpu::LabelConfidence> confidence;
    std::array<double, kStages> seconds{};  // per stage, on the device
};

// A scan in host memory is copied to the device twice: the whole scan for the localization, then only the
// crop, often a third of it. Keeping the scan on the device would save half a millisecond of PCIe transfer,
// but device memory would grow with the scan. The host waits for the device when it reuses a staging buffer,
// when it reads the box, and at the end of a run.
class Pipeline {
  public:
    // `device`: the GPU's number. `labels`: how many of the segmentation network's channels are labels.
    // `threads`: host threads, 0 for all cores. `graphs`: see NetworkRunner.
    Pipeline(int device, std::shared_ptr<engine::Network> localization,
             std::shared_ptr<engine::Network> segmentation,
             const LocalizationParameters& localization_parameters,
             const SegmentationParameters& segmentation_parameters, int64_t labels, int threads, bool graphs);
    ~Pipeline();

    // Writes every voxel of `target`, which must have the scan's size. `spacing` is in mm. `stream`: the
    // caller's stream, whose queued work produces the scan; null if there is none. Throws
    // std::invalid_argument for a scan or target that it cannot process, CudaError, and what the networks or
    // the observer throw. Runs one scan at a time; concurrent callers wait.
    RunResult segment(const ScanSource& scan, const Triple<double>& spacing, const LabelTarget& target,
                      const engine::Handle* stream, const Observer& observer);

    // Run one network alone, to compare networks; scans go through segment(). All arrays are in host memory:
    // the image is float32 [z, y, x], the mask bytes [z, y, x], the probabilities [channel, z, y, x].
    void localize_alone(const float* image, const Size& size, uint8_t* mask);
    void segment_alone(const float* image, const Size& size, float* probabilities);

    MemoryPlace place_of(const void* address) const;

    // Whether the last run replayed the segmentation network from a graph.
    bool replays() const { return segmentation_->replays(); }
    int64_t labels() const { return labels_; }
    std::size_t arena_capacity() const { return arena_.capacity(); }
    std::size_t arena_peak() const { return arena_.peak(); }
    void reset_arena_peak() { arena_.reset_peak(); }
    // Frees the arena's memory beyond `bytes`, and all staging memory.
    void trim(std::size_t bytes);

  private:
    struct Events;
    struct Report;
    struct Run;

    SegmentationPlan localize(Run& run);
    void segment_box(Run& run, const SegmentationPlan& plan);
    // Plans and reserves a stage's memory, copies its operators to the device, and queues all work up to the
    // network's input.
    void queue_input(Run& run, const cpu::Sampling& sampling, const StageNeeds& needs, InputFinish finish,
                     bool with_values);
    void queue_network(Run& run, NetworkRunner& network, std::size_t activation_bytes);
    void read_report(Run& run);
    const std::byte* run_alone(NetworkRunner& runner, const float* image, const Size& size, int64_t channels,
                               const char* name);

    Device device_;
    std::optional<NetworkRunner> localization_, segmentation_;
    LocalizationParameters localization_parameters_;
    SegmentationParameters segmentation_parameters_;
    int64_t labels_;
    int threads_;
    std::mutex mutex_;
    Arena arena_, staging_;
    std::unique_ptr<Events> events_;
};

}  // namespace escn::cuda
