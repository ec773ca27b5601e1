#include <pybind11/numpy.h>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "cpu/value_summary.h"

namespace py = pybind11;

namespace escn {
namespace {

ValueSummary value_summary(const py::object& volume, int threads) {
    const cpu::ScanView scan = scan_argument(volume);
    const py::gil_scoped_release release;
    return cpu::value_summary(scan, threads);
}

py::array_t<uint64_t> counts(const ValueSummary& summary) {
    return py::array_t<uint64_t>(kValueBins, summary.counts.data());
}

py::array_t<int32_t> edges(const ValueSummary&) {
    py::array_t<int32_t> edges(kValueBins - 1);
    for (int i = 0; i < kValueBins - 1; ++i) edges.mutable_at(i) = kFirstEdge + i * kBinWidth;
    return edges;
}

}  // namespace

void register_value_summary(py::module_& module) {
    py::class_<ValueSummary>(module, "ValueSummary", "Extremes and histogram of a scan's finite values.")
        .def_readonly("low", &ValueSummary::low, "The smallest finite value; infinity if there is none.")
        .def_readonly("high", &ValueSummary::high, "The largest finite value; -infinity if there is none.")
        .def_readonly("nonfinite", &ValueSummary::nonfinite, "The number of NaN and infinite values.")
        .def_property_readonly("edges", &edges, "The n edges between the bins.")
        .def_property_readonly("counts", &counts,
                               "The finite values in each of the n + 1 bins, in about a million voxels: the "
                               "first is below all edges, each begins with its lower edge.");

    module.def("value_summary", &value_summary, py::arg("volume"), py::arg("threads") = 0,
               "Extremes and histogram of a scan's values.");
}

}  // namespace escn
