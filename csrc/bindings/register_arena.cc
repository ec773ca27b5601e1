#include <memory>

#include "bindings/register.h"
#include "cuda/driver/device_memory.h"
#include "cuda/memory/arena.h"

namespace py = pybind11;

namespace escn {
namespace {

std::unique_ptr<cuda::Arena> make_arena(int device) {
    return std::make_unique<cuda::Arena>(cuda::device_memory(device));
}

}  // namespace

void register_arena(py::module_& module) {
    py::class_<cuda::Arena>(module, "Arena",
                            "A block of a GPU's memory that grows, can be trimmed and remembers its peak.")
        .def(py::init(&make_arena), py::arg("device"))
        .def("reserve", &cuda::Arena::reserve, py::arg("bytes"))
        .def("trim", &cuda::Arena::trim, py::arg("bytes") = 0)
        .def_property_readonly("capacity", &cuda::Arena::capacity)
        .def_property_readonly("peak", &cuda::Arena::peak)
        .def("reset_peak", &cuda::Arena::reset_peak);
}

}  // namespace escn
