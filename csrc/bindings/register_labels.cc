#include <pybind11/numpy.h>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "cpu/write_labels.h"

namespace py = pybind11;

namespace escn {
namespace {

py::array_t<uint64_t> write_labels(const py::object& probabilities, const SegmentationPlan& plan,
                                   const py::object& labels, int threads) {
    int64_t classes = 0;
    const float* values = probabilities_argument(probabilities, plan.input_size, classes);
    const cpu::View<uint8_t> view = labels_argument(labels);
    std::vector<uint64_t> counts;
    {
        const py::gil_scoped_release release;
        counts = cpu::write_labels(values, classes, plan, view, threads);
    }
    return py::array_t<uint64_t>(static_cast<py::ssize_t>(counts.size()), counts.data());
}

}  // namespace

void register_labels(py::module_& module) {
    module.def(
        "write_labels", &write_labels, py::arg("probabilities"), py::arg("plan"), py::arg("labels"),
        py::arg("threads") = 0,
        "Write the label map of the probabilities (class, z, y, x) to `labels`; return voxels per class.");
}

}  // namespace escn
