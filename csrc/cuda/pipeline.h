// Both stages on a device: scan in, labels out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "cpu/sample.h"
#include "cuda/driver/device.h"
#include "cuda/kernels/value_range.h"
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

// Told of a run while it goes on; may throw to end it.
struct Observer {
    std::function<void(Stage)> begin = [](Stage) {};  // its work is about to be queued
    std::function<void(const ValueRangeResult&)> values = [](const ValueRangeResult&) {};
};

struct RunResult {
    LocalizationPlan localization;
    SegmentationPlan segmentation;
    bool found = false;                     // whether the mask held a voxel; else the whole scan was the box
    std::vector<uint64_t> counts;           // voxels a label
    std::array<double, kStages> seconds{};  // on the device
};

// A scan of the host passes through the device twice: whole for the localization, then the crop alone, often
// a third of it. To keep it there in between would let device memory grow with the scan, for the sake of half
// a millisecond of PCIe. The host waits for the device when it needs a staging buffer again, for the box, and
// at the end.
class Pipeline {
  public:
    // `device`: the GPU's number. `labels`: how many of the segmentation network's channels are labels.
    // `threads`: of the host, 0 for all cores. `graphs`: see NetworkRunner.
    Pipeline(int device, std::shared_ptr<engine::Network> localization,
             std::shared_ptr<engine::Network> segmentation,
             const LocalizationParameters& localization_parameters,
             const SegmentationParameters& segmentation_parameters, int64_t labels, int threads, bool graphs);
    ~Pipeline();

    // `spacing` in mm; every voxel of `target`, which has the scan's size, is written. `stream`: where others
    // have queued the work that makes a scan on the device, if anywhere. Throws std::invalid_argument for a
    // scan that no plan takes, CudaError, or what the networks or the observer throw. One run at a time;
    // others wait.
    RunResult segment(const ScanSource& scan, const Triple<double>& spacing, const LabelTarget& target,
                      const engine::Handle* stream, const Observer& observer);

    // One network alone, from and to host memory: float32 [z, y, x] in; out the mask's bytes [z, y, x], or
    // probabilities [channel, z, y, x]. For comparing networks; scans go through segment().
    void localize_alone(const float* image, const Size& size, uint8_t* mask);
    void segment_alone(const float* image, const Size& size, float* probabilities);

    MemoryPlace place_of(const void* address) const;

    // Whether the network of the last run was replayed from a graph.
    bool replays() const { return segmentation_->replays(); }
    int64_t labels() const { return labels_; }
    std::size_t arena_capacity() const { return arena_.capacity(); }
    std::size_t arena_peak() const { return arena_.peak(); }
    void reset_arena_peak() { arena_.reset_peak(); }
    // Gives back what the arena holds above `bytes`, and the staging memory.
    void trim(std::size_t bytes);

  private:
    struct Events;
    struct Report;
    struct Run;

    SegmentationPlan localize(Run& run);
    void segment_box(Run& run, const SegmentationPlan& plan);
    // Plans and makes room for a stage, brings its operators over, and queues all up to the network's input.
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
