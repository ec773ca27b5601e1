#include "cuda/label_stream.h"

#include <vector>

#include "cpu/strided_copy.h"
#include "cuda/kernels/kernels.h"

namespace escn::cuda {

Size labelled_size(const SegmentationPlan& plan) {
    Size size;
    for (int axis = 0; axis < 3; ++axis) {
        size[axis] = plan.image_size[axis] - plan.croppings[axis].before - plan.croppings[axis].after;
    }
    return size;
}

int64_t label_pitch(const SegmentationPlan& plan) {
    return (labelled_size(plan)[2] + kLabelsPerThread - 1) / kLabelsPerThread * kLabelsPerThread;
}

void stream_labels(Device& device, LabelSweep sweep, const SegmentationPlan& plan, const LabelTarget& target,
                   const StageMemory& memory, std::byte* arena, Slots& slots, cpu::ThreadPool& pool) {
    const Size size = labelled_size(plan);
    if (size[0] == 0 || size[1] == 0 || size[2] == 0) return;
    const int64_t pitch = label_pitch(plan);
    const Index dense = {size[1] * pitch, pitch, 1};
    const auto in_target = [&](const Slab& slab) {
        const Index& stride = target.view.stride;
        return target.view.data + (plan.croppings[0].before + slab.first) * stride[0] +
               plan.croppings[1].before * stride[1] + plan.croppings[2].before * stride[2];
    };
    const std::vector<Slab> slabs = plan_slabs(size[0], memory.label_slab_slices);
    const auto store = [&](std::size_t index) {
        Slot& slot = slots[index % kSlots];
        slot.copied.synchronize();
        cpu::strided_copy({slot.staging, dense}, {in_target(slabs[index]), target.view.stride},
                          {slabs[index].count, size[1], size[2]}, 1, pool);
    };
    for (std::size_t index = 0; index < slabs.size(); ++index) {
        const Slab& slab = slabs[index];
        Slot& slot = slots[index % kSlots];
        auto* device_slab = reinterpret_cast<uint8_t*>(arena + memory.label_slab[index % kSlots]);
        if (!target.on_device && index >= kSlots) store(index - kSlots);  // frees its staging buffer

        sweep.begin = {plan.paddings[0].before + slab.first, plan.paddings[1].before,
                       plan.paddings[2].before};
        sweep.size = {slab.count, size[1], size[2]};
        sweep.labels = target.on_device ? in_target(slab) : device_slab;
        sweep.strides = target.on_device ? target.view.stride : dense;
        sweep.padded = !target.on_device;
        if (target.on_device) {
            write_labels(sweep, device.compute().get());
            continue;
        }
        write_labels(sweep, device.compute().get());
        device.compute().record(slot.computed);
        device.copies().wait(slot.computed);
        device.copies().copy_to_host(slot.staging, device_slab,
                                     static_cast<std::size_t>(slab.count * dense[0]));
        device.copies().record(slot.copied);
    }
    if (target.on_device) return;
    for (std::size_t index = slabs.size() > kSlots ? slabs.size() - kSlots : 0; index < slabs.size();
         ++index) {
        store(index);
    }
}

}  // namespace escn::cuda
