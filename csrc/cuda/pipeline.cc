#include "cuda/pipeline.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include "cpu/network_input.h"
#include "cpu/strided_copy.h"
#include "cpu/thread_pool.h"
#include "cuda/driver/cuda_error.h"
#include "cuda/driver/device_memory.h"
#include "cuda/kernels/kernels.h"
#include "cuda/kernels/visit_voxels.h"
#include "cuda/memory/packed_taps.h"
#include "cuda/network_tensors.h"
#include "geometry/network_voxels.h"
#include "geometry/text.h"

namespace escn::cuda {
namespace {

constexpr int kMostCopyThreads = 8;      // a few threads saturate the memory; more would only wait
constexpr int64_t kLargestAxis = 65535;  // the limit of a launch's grid along y or z

Region region_of(const cpu::Sampling& sampling) {
    Region region;
    for (int axis = 0; axis < 3; ++axis) {
        region.begin[axis] = sampling.taps[axis].begin;
        region.size[axis] = sampling.taps[axis].extent;
    }
    return region;
}

// The lowest address of a label map, whose strides may be negative.
uint8_t* lowest_address(const cpu::View<uint8_t>& view) {
    uint8_t* lowest = view.data;
    for (int axis = 0; axis < 3; ++axis)
        lowest += std::min<int64_t>(0, (view.size[axis] - 1) * view.stride[axis]);
    return lowest;
}

// Whether the voxels fill their memory without gaps.
bool is_dense(const cpu::View<uint8_t>& view) {
    int64_t last = 0;
    for (int axis = 0; axis < 3; ++axis) last += (view.size[axis] - 1) * std::abs(view.stride[axis]);
    return last + 1 == static_cast<int64_t>(voxels(view.size));
}

// The outputs whose z operator reads slices of `slab`. They are one range, because the outputs' bands of
// slices ascend.
std::pair<int32_t, int32_t> outputs_of(const cpu::TapTable& taps, const Slab& slab) {
    int32_t begin = 0, end = 0;
    for (int32_t o = 0; o < static_cast<int32_t>(taps.size()); ++o) {
        const bool meets =
            taps.first[o] < slab.first + slab.count && taps.first[o] + taps.count[o] > slab.first;
        if (!meets || taps.count[o] == 0) continue;
        if (begin == end) begin = o;
        end = o + 1;
    }
    return {begin, end};
}

}  // namespace

struct Pipeline::Events {
    Slots slots;
    Event reported;
    std::array<TimedEvent, kStages + 1> stages;  // the beginning of each stage, and the end of the last
};

// What the device reports to the host at the end of a stage.
struct Pipeline::Report {
    MaskBox box;
    EncodedSummary values;
    unsigned long long counts[kMostLabels];
    ConfidenceSums confidence[kMostLabels];
};

struct Pipeline::Run {
    ScanSource scan;
    Triple<double> spacing;
    LabelTarget target;
    const Observer& observer;
    cpu::ThreadPool& pool;
    RunResult result;
    StageMemory memory;  // of the current stage
    Report* staged_report = nullptr;
    std::byte* staged_taps = nullptr;
};

Pipeline::Pipeline(int device, std::shared_ptr<engine::Network> localization,
                   std::shared_ptr<engine::Network> segmentation,
                   const LocalizationParameters& localization_parameters,
                   const SegmentationParameters& segmentation_parameters, int64_t labels, int threads,
                   bool graphs)
    : device_(device),
      localization_(std::in_place, std::move(localization), graphs),
      segmentation_(std::in_place, std::move(segmentation), graphs),
      localization_parameters_(localization_parameters),
      segmentation_parameters_(segmentation_parameters),
      labels_(labels),
      threads_(std::min(cpu::thread_count(threads), kMostCopyThreads)),
      arena_(device_memory(device)),
      staging_(pinned_memory(device)) {
    if (labels < 1 || labels > kMostLabels) throw std::invalid_argument("labels must be between 1 and 255");
    if (localization_->network().output_type() != engine::DataType::kByte) {
        throw std::invalid_argument(
            "The localization engine's output must be a mask; build the engine again from this bundle.");
    }
    const DeviceScope current(device);
    events_ = std::make_unique<Events>();
}

Pipeline::~Pipeline() {
    try {
        const DeviceScope current(device_.index());
        device_.drain();
        localization_.reset();
        segmentation_.reset();
        events_.reset();
        arena_.trim();
        staging_.trim();
    } catch (const CudaError&) {  // the device is gone, and these resources with it
    }
}

void Pipeline::trim(std::size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const DeviceScope current(device_.index());
    arena_.trim(bytes);
    staging_.trim();
}

MemoryPlace Pipeline::place_of(const void* address) const {
    const DeviceScope current(device_.index());
    return device_.place_of(address);
}

RunResult Pipeline::segment(const ScanSource& scan, const Triple<double>& spacing, const LabelTarget& target,
                            const engine::Handle* stream, const Observer& observer) {
    if (target.view.size != scan.view.size) {
        throw std::invalid_argument("labels has the size " + to_text(target.view.size) +
                                    " but the volume has " + to_text(scan.view.size) + " (z, y, x).");
    }
    if (*std::max_element(scan.view.size.begin(), scan.view.size.end()) > kLargestAxis) {
        throw CudaError("A GPU takes at most 65535 voxels along an axis, found " + to_text(scan.view.size) +
                        " (z, y, x); use device=\"cpu\".");
    }
    if (target.on_device && !is_dense(target.view)) {
        throw std::invalid_argument("labels on a GPU must fill their memory without gaps.");
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    const DeviceScope current(device_.index());
    cpu::ThreadPool pool(threads_);
    Run run{scan, spacing, target, observer, pool, {}, {}};
    try {
        if (stream != nullptr) device_.compute().wait_for_stream(*stream);
        device_.compute().record(events_->stages[0]);
        segment_box(run, localize(run));
    } catch (...) {
        device_.drain();  // queued work must not read the scan or write the labels after this
        throw;
    }
    for (int stage = 0; stage < kStages; ++stage) {
        run.result.seconds[stage] = seconds_between(events_->stages[stage], events_->stages[stage + 1]);
    }
    return run.result;
}

void Pipeline::queue_input(Run& run, const cpu::Sampling& sampling, const StageNeeds& needs,
                           InputFinish finish, bool with_values) {
    const PackedTaps packed(sampling.taps);
    const Region region = region_of(sampling);
    StageNeeds all = needs;
    all.region = region.size;
    all.voxel_bytes = voxel_bytes(run.scan.view.type);
    all.scan_on_device = run.scan.on_device;
    all.taps_bytes = packed.block().size();
    all.report_bytes = sizeof(Report);
    run.memory = plan_stage_memory(all);
    arena_.reserve(run.memory.bytes);

    const std::size_t slot_bytes = std::max(run.memory.scan_slab_bytes, run.memory.label_slab_bytes);
    const std::vector<ArenaBuffer> staged = {{"report", sizeof(Report), 0, 0},
                                             {"taps", packed.block().size(), 0, 0},
                                             {"slot 0", slot_bytes, 0, 0},
                                             {"slot 1", slot_bytes, 0, 0}};
    const ArenaPlan staging = plan_arena(staged);
    staging_.reserve(staging.bytes);
    run.staged_report = reinterpret_cast<Report*>(staging_.base() + staging.offsets[0]);
    run.staged_taps = staging_.base() + staging.offsets[1];
    for (int slot = 0; slot < kSlots; ++slot)
        events_->slots[slot].staging = staging_.base() + staging.offsets[2 + slot];

    std::byte* arena = arena_.base();
    auto* report = reinterpret_cast<Report*>(arena + run.memory.report);
    Stream& stream = device_.compute();
    stream.zero(report, sizeof(Report));
    if (with_values) start_value_summary(&report->values, stream.get());
    std::copy(packed.block().begin(), packed.block().end(), run.staged_taps);
    stream.copy_to_device(arena + run.memory.taps, run.staged_taps, packed.block().size());
    auto* sums = reinterpret_cast<float*>(arena + run.memory.sums);
    stream.zero(sums, voxels(needs.sums_size) * sizeof(float));

    const TapPointers taps = packed.at(arena + run.memory.taps);
    auto* partial = reinterpret_cast<float*>(arena + run.memory.partial);
    const auto out_rows = static_cast<int32_t>(needs.sums_size[1]);
    const auto out_columns = static_cast<int32_t>(needs.sums_size[2]);
    const int64_t step = rows_per_counted_row(voxels(run.scan.view.size), run.scan.view.size[1]);
    const auto work = [&](const ScanView& view, const Slab& slab) {
        if (with_values) add_value_summary(view, step, &report->values, stream.get());
        reduce_slices({view, taps.rows[1], taps.rows[2], out_rows, out_columns, taps.tiles,
                       packed.tile_count(), packed.widest_tile(), partial},
                      stream.get());
        const auto [first, last] = outputs_of(sampling.taps[0], slab);
        if (first == last) return;
        add_slab({partial, slab.first, slab.count, taps.rows[0], first, last,
                  needs.sums_size[1] * needs.sums_size[2], sums},
                 stream.get());
    };
    stream_scan(device_, run.scan, region, run.memory, arena, events_->slots, run.pool, work);

    finish.sums = sums;
    finish.sums_size = needs.sums_size;
    finish.inside = {taps.rows[0].inside, taps.rows[1].inside, taps.rows[2].inside};
    finish.outside_hu = sampling.outside_hu;
    finish.intensity = sampling.intensity;
    finish.input = arena + run.memory.input;
    finish_input(finish, stream.get());
}

void Pipeline::queue_network(Run& run, NetworkRunner& network, std::size_t activation_bytes) {
    const auto address = [&](std::size_t offset) {
        return reinterpret_cast<engine::Handle>(arena_.base() + offset);
    };
    const engine::RunMemory memory = {address(run.memory.input), address(run.memory.output),
                                      address(run.memory.activation), activation_bytes};
    network.queue(memory, device_.compute());
}

void Pipeline::read_report(Run& run) {
    Stream& stream = device_.compute();
    stream.copy_to_host(run.staged_report, arena_.base() + run.memory.report, sizeof(Report));
    stream.record(events_->reported);
    events_->reported.synchronize();
}

SegmentationPlan Pipeline::localize(Run& run) {
    run.observer.begin(Stage::kLocalizationInput);
    const Size& size = run.scan.view.size;
    const LocalizationPlan plan = plan_localization(size, run.spacing, localization_parameters_);
    run.result.localization = plan;
    const Size& input_size = plan.input_size;
    const engine::Requirements requirements = localization_->prepare(input_size, device_.compute());
    check_output(requirements.output_shape, {1, input_size[0], input_size[1], input_size[2]}, "localization");

    StageNeeds needs;
    needs.sums_size = plan.resized_size;
    needs.input_bytes = voxels(input_size) * engine::bytes_of(localization_->network().input_type());
    needs.activation_bytes = requirements.activation_bytes;
    needs.output_bytes = voxels(input_size);
    InputFinish finish{};
    finish.input_size = input_size;
    finish.pad_before = plan.pad_before;
    finish.padding_hu = static_cast<float>(localization_parameters_.padding_hu);
    finish.type = float_type(localization_->network().input_type(), "input");
    queue_input(run, cpu::localization_sampling(plan, localization_parameters_), needs, finish, true);
    device_.compute().record(events_->stages[1]);

    run.observer.begin(Stage::kLocalization);
    queue_network(run, *localization_, requirements.activation_bytes);
    auto* report = reinterpret_cast<Report*>(arena_.base() + run.memory.report);
    find_mask_box(reinterpret_cast<const uint8_t*>(arena_.base() + run.memory.output), input_size,
                  &report->box, device_.compute().get());
    device_.compute().record(events_->stages[2]);
    read_report(run);

    run.observer.values(decoded(run.staged_report->values));
    const MaskBox& box = run.staged_report->box;
    run.result.found = box.last[0] >= 0;
    const Box millimetres = run.result.found ? box_from_mask({box.first[0], box.first[1], box.first[2]},
                                                             {box.last[0], box.last[1], box.last[2]}, plan,
                                                             localization_parameters_)
                                             : whole_volume_box(plan, localization_parameters_);
    return plan_segmentation(size, run.spacing, millimetres, segmentation_parameters_);
}

void Pipeline::segment_box(Run& run, const SegmentationPlan& plan) {
    run.observer.begin(Stage::kSegmentationInput);
    run.result.segmentation = plan;
    const Size& input_size = plan.input_size;
    const engine::Requirements requirements = segmentation_->prepare(input_size, device_.compute());
    check_output(requirements.output_shape, {1, labels_, input_size[0], input_size[1], input_size[2]},
                 "segmentation");
    const auto channels = static_cast<std::size_t>(requirements.output_shape[1]);

    StageNeeds needs;
    needs.sums_size = input_size;
    needs.input_bytes = voxels(input_size) * engine::bytes_of(segmentation_->network().input_type());
    needs.activation_bytes = requirements.activation_bytes;
    needs.output_bytes =
        channels * voxels(input_size) * engine::bytes_of(segmentation_->network().output_type());
    if (!run.target.on_device) {
        needs.label_slices = labelled_size(plan)[0];
        needs.label_slice_bytes = static_cast<std::size_t>(labelled_size(plan)[1] * label_pitch(plan));
    }
    InputFinish finish{};
    finish.input_size = input_size;
    finish.type = float_type(segmentation_->network().input_type(), "input");
    queue_input(run, cpu::segmentation_sampling(run.spacing, plan, segmentation_parameters_), needs, finish,
                false);
    device_.compute().record(events_->stages[3]);

    run.observer.begin(Stage::kSegmentation);
    queue_network(run, *segmentation_, requirements.activation_bytes);
    device_.compute().record(events_->stages[4]);

    run.observer.begin(Stage::kLabels);
    if (run.target.on_device) {
        device_.compute().zero(lowest_address(run.target.view), voxels(run.target.view.size));
    } else {
        // Runs while the network does, so that the page faults of fresh memory cost no extra time.
        cpu::strided_zero({run.target.view.data, run.target.view.stride}, run.target.view.size, run.pool);
    }
    auto* report = reinterpret_cast<Report*>(arena_.base() + run.memory.report);
    LabelSweep sweep{};
    sweep.probabilities = arena_.base() + run.memory.output;
    sweep.type = float_type(segmentation_->network().output_type(), "output");
    sweep.channels = static_cast<int32_t>(labels_);
    sweep.probabilities_size = input_size;
    sweep.crop_size = plan.cropped_size;
    sweep.counts = report->counts;
    const VoxelBox box = voxels_in_image(plan);
    add_confidence({sweep.probabilities, sweep.type, sweep.channels, input_size, box.start, box.stop,
                    report->confidence},
                   device_.compute().get());
    stream_labels(device_, sweep, plan, run.target, run.memory, arena_.base(), events_->slots, run.pool);
    device_.compute().record(events_->stages[5]);
    read_report(run);

    const auto* counts = run.staged_report->counts;
    run.result.counts.assign(counts, counts + labels_);
    for (int64_t label = 0; label < labels_; ++label) {
        const ConfidenceSums& sums = run.staged_report->confidence[label];
        run.result.confidence.push_back(
            {sums.voxels, sums.confidence, sums.faces, sums.doubtful_faces, sums.unsound});
    }
    const Size labelled = labelled_size(plan);
    run.result.counts[0] += voxels(plan.image_size) - voxels(labelled);
}

}  // namespace escn::cuda
