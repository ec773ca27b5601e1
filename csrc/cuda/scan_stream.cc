#include "cuda/scan_stream.h"

#include "cpu/strided_copy.h"
#include "cuda/kernels/visit_voxels.h"

namespace escn::cuda {
namespace {

const void* voxel_address(const ScanView& view, const Index& index) {
    int64_t offset = 0;
    for (int axis = 0; axis < 3; ++axis) offset += index[axis] * view.stride[axis];
    const auto bytes = static_cast<int64_t>(voxel_bytes(view.type));
    return static_cast<const std::byte*>(view.data) + offset * bytes;
}

}  // namespace

void stream_scan(Device& device, const ScanSource& scan, const Region& region, const StageMemory& memory,
                 std::byte* arena, Slots& slots, cpu::ThreadPool& pool, const SlabWork& work) {
    const int64_t rows = region.size[1], columns = region.size[2];
    if (rows == 0 || columns == 0) return;
    int turn = 0;
    for (const Slab& slab : plan_slabs(region.size[0], memory.scan_slab_slices)) {
        const Size size = {slab.count, rows, columns};
        const void* source =
            voxel_address(scan.view, {region.begin[0] + slab.first, region.begin[1], region.begin[2]});
        if (scan.on_device) {
            work({source, scan.view.type, size, scan.view.stride}, slab);
            continue;
        }
        Slot& slot = slots[turn];
        std::byte* device_slab = arena + memory.scan_slab[turn];
        turn = (turn + 1) % kSlots;
        const Index dense = {rows * columns, columns, 1};
        const std::size_t bytes = voxel_bytes(scan.view.type);

        slot.copied.synchronize();
        cpu::strided_copy({source, scan.view.stride}, {slot.staging, dense}, size, bytes, pool);
        device.copies().wait(slot.computed);
        device.copies().copy_to_device(device_slab, slot.staging,
                                       static_cast<std::size_t>(slab.count * rows * columns) * bytes);
        device.copies().record(slot.copied);
        device.compute().wait(slot.copied);
        work({device_slab, scan.view.type, size, dense}, slab);
        device.compute().record(slot.computed);
    }
}

}  // namespace escn::cuda
