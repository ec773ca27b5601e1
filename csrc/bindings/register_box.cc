#include "bindings/arguments.h"
#include "bindings/register.h"
#include "geometry/box.h"
#include "geometry/text.h"

namespace py = pybind11;

namespace escn {
namespace {

Box make_box(const py::object& start, const py::object& end) {
    const Triple<double> from = spacing_argument(start, "start");
    const Triple<double> to = spacing_argument(end, "end");
    Box box;
    for (int axis = 0; axis < 3; ++axis) {
        box.start[axis] = static_cast<float>(from[axis]);
        box.end[axis] = static_cast<float>(to[axis]);
    }
    return box;
}

}  // namespace

void register_box(py::module_& module) {
    py::class_<Box>(module, "Box",
                    "A region of interest, (z, y, x) in mm from the first voxel's outer corner.")
        .def(py::init(&make_box), py::arg("start"), py::arg("end"))
        .def_property_readonly("start", [](const Box& box) { return to_tuple(box.start); })
        .def_property_readonly("end", [](const Box& box) { return to_tuple(box.end); })
        .def("__repr__", [](const Box& box) {
            return "Box(start=" + to_text(box.start) + ", end=" + to_text(box.end) + ")";
        });
}

}  // namespace escn
