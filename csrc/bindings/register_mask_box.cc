#include "bindings/arguments.h"
#include "bindings/register.h"
#include "cpu/mask_box.h"

namespace py = pybind11;

namespace escn {
namespace {

py::object mask_box(const py::object& mask) {
    const auto view = mask_argument(mask, "mask");
    std::optional<cpu::VoxelBox> box;
    {
        const py::gil_scoped_release release;
        box = cpu::mask_box(view);
    }
    if (!box) return py::none();
    return py::make_tuple(to_tuple(box->first), to_tuple(box->last));
}

}  // namespace

void register_mask_box(py::module_& module) {
    module.def(
        "mask_box", &mask_box, py::arg("mask"),
        "Inclusive corners (first, last) of the box around all nonzero voxels, or None if all are zero.");
}

}  // namespace escn
