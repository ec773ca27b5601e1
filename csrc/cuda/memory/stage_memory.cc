#include "cuda/memory/stage_memory.h"

#include <algorithm>
#include <string>

namespace escn::cuda {
namespace {

std::size_t area(const Size& size) { return static_cast<std::size_t>(size[1] * size[2]); }

}  // namespace

StageMemory plan_stage_memory(const StageNeeds& needs) {
    StageMemory memory;
    const std::size_t slice_bytes = area(needs.region) * needs.voxel_bytes;
    const std::size_t partial_slice_bytes = area(needs.sums_size) * sizeof(float);
    // Where the input is finer than the scan, the input's slices are larger and limit the slab.
    memory.scan_slab_slices = slab_slices(needs.region[0], std::max(slice_bytes, partial_slice_bytes));
    memory.scan_slab_bytes =
        needs.scan_on_device ? 0 : static_cast<std::size_t>(memory.scan_slab_slices) * slice_bytes;
    memory.label_slab_slices = slab_slices(needs.label_slices, needs.label_slice_bytes);
    memory.label_slab_bytes = static_cast<std::size_t>(memory.label_slab_slices) * needs.label_slice_bytes;
    if (needs.label_slices == 0) memory.label_slab_bytes = 0;

    std::vector<std::size_t*> places;
    const auto add = [&](const char* name, std::size_t bytes, StageStep first, StageStep last,
                         std::size_t& offset) {
        memory.buffers.push_back({name, bytes, first, last});
        places.push_back(&offset);
    };
    for (int slot = 0; slot < kSlots; ++slot) {
        add("scan slab", memory.scan_slab_bytes, kStream, kStream, memory.scan_slab[slot]);
        add("label slab", memory.label_slab_bytes, kResult, kResult, memory.label_slab[slot]);
    }
    add("partial", static_cast<std::size_t>(memory.scan_slab_slices) * partial_slice_bytes, kStream, kStream,
        memory.partial);
    add("sums", static_cast<std::size_t>(needs.sums_size[0]) * partial_slice_bytes, kStream, kStream,
        memory.sums);
    add("taps", needs.taps_bytes, kStream, kStream, memory.taps);
    add("input", needs.input_bytes, kStream, kNetwork, memory.input);
    add("activation", needs.activation_bytes, kNetwork, kNetwork, memory.activation);
    add("output", needs.output_bytes, kNetwork, kResult, memory.output);
    add("report", needs.report_bytes, kStream, kResult, memory.report);

    const ArenaPlan plan = plan_arena(memory.buffers);
    for (std::size_t i = 0; i < places.size(); ++i) *places[i] = plan.offsets[i];
    memory.offsets = plan.offsets;
    memory.bytes = plan.bytes;
    return memory;
}

}  // namespace escn::cuda
