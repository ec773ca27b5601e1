#include "bindings/arguments.h"
#include "bindings/register.h"
#include "cpu/value_range.h"

namespace py = pybind11;

namespace escn {
namespace {

py::tuple value_range(const py::object& volume, int threads) {
    const cpu::ScanView scan = scan_argument(volume);
    cpu::RowRange range;
    {
        const py::gil_scoped_release release;
        range = cpu::value_range(scan, threads);
    }
    return py::make_tuple(range.min, range.max, range.nonfinite);
}

}  // namespace

void register_value_range(py::module_& module) {
    module.def("value_range", &value_range, py::arg("volume"), py::arg("threads") = 0,
               "Smallest and largest finite value, and the number of NaN and infinite values.");
}

}  // namespace escn
