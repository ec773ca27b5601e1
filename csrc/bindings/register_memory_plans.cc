#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "cuda/memory/arena_plan.h"
#include "cuda/memory/slab_plan.h"
#include "cuda/memory/stage_memory.h"
#include "geometry/text.h"

namespace py = pybind11;

namespace escn {
namespace {

py::tuple plan_arena(const std::vector<std::tuple<std::size_t, int, int>>& buffers) {
    std::vector<cuda::ArenaBuffer> named;
    for (const auto& [bytes, first, last] : buffers)
        named.push_back({std::to_string(named.size()), bytes, first, last});
    const cuda::ArenaPlan plan = cuda::plan_arena(named);
    return py::make_tuple(plan.offsets, plan.bytes);
}

py::list plan_slabs(int64_t slices, std::size_t slice_bytes, std::size_t slab_bytes) {
    py::list slabs;
    for (const cuda::Slab& slab :
         cuda::plan_slabs(slices, cuda::slab_slices(slices, slice_bytes, slab_bytes))) {
        slabs.append(py::make_tuple(slab.first, slab.count));
    }
    return slabs;
}

// A size whose voxels, and their bytes, can be counted.
Size volume_argument(const py::object& object, const char* name) {
    constexpr double most = static_cast<double>(int64_t{1} << 40);
    const Size size = size_argument(object, name);
    double voxels = 1;
    for (const int64_t length : size) voxels *= static_cast<double>(std::max<int64_t>(length, 0));
    if (!(voxels >= 1 && voxels <= most)) {
        throw std::invalid_argument(std::string(name) + " must have 1 to 2^40 voxels, found " +
                                    to_text(size) + ".");
    }
    return size;
}

py::dict plan_stage_memory(const py::object& region, std::size_t voxel_bytes, const py::object& sums_size,
                           std::size_t input_bytes, std::size_t activation_bytes, std::size_t output_bytes,
                           std::size_t taps_bytes, int64_t label_slices, std::size_t label_slice_bytes,
                           bool scan_on_device) {
    if (voxel_bytes < 1 || voxel_bytes > 4) throw std::invalid_argument("voxel_bytes must be 1 to 4.");
    if (label_slices < 0) throw std::invalid_argument("label_slices must not be negative.");
    cuda::StageNeeds needs;
    needs.region = volume_argument(region, "region");
    needs.voxel_bytes = voxel_bytes;
    needs.scan_on_device = scan_on_device;
    needs.sums_size = volume_argument(sums_size, "sums_size");
    needs.taps_bytes = taps_bytes;
    needs.input_bytes = input_bytes;
    needs.activation_bytes = activation_bytes;
    needs.output_bytes = output_bytes;
    needs.label_slices = label_slices;
    needs.label_slice_bytes = label_slice_bytes;
    const cuda::StageMemory memory = cuda::plan_stage_memory(needs);
    py::list buffers;
    for (std::size_t i = 0; i < memory.buffers.size(); ++i) {
        const cuda::ArenaBuffer& buffer = memory.buffers[i];
        buffers.append(py::make_tuple(buffer.name, memory.offsets[i], buffer.bytes, buffer.first_step,
                                      buffer.last_step));
    }
    py::dict result;
    result["bytes"] = memory.bytes;
    result["buffers"] = buffers;
    return result;
}

}  // namespace

void register_memory_plans(py::module_& module) {
    module.def(
        "plan_arena", &plan_arena, py::arg("buffers"),
        "Offsets and total bytes of an arena for buffers (bytes, first step, last step), steps inclusive.");
    module.def("plan_slabs", &plan_slabs, py::arg("slices"), py::arg("slice_bytes"),
               py::arg("slab_bytes") = cuda::kSlabBytes,
               "The slabs of a volume: [(first slice, count), ...].");
    module.def(
        "plan_stage_memory", &plan_stage_memory, py::kw_only(), py::arg("region"), py::arg("voxel_bytes"),
        py::arg("sums_size"), py::arg("input_bytes"), py::arg("activation_bytes"), py::arg("output_bytes"),
        py::arg("taps_bytes") = 0, py::arg("label_slices") = 0, py::arg("label_slice_bytes") = 0,
        py::arg("scan_on_device") = false,
        "The arena of a stage on a GPU: bytes, and buffers (name, offset, bytes, first step, last step).");
}

}  // namespace escn
