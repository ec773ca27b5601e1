#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "cpu/label_statistics.h"
#include "geometry/text.h"

namespace py = pybind11;

namespace escn {
namespace {

constexpr int64_t kHighestLabel = 255;

std::vector<cpu::LabelStatistics> label_statistics(const py::object& labels, const py::object& volume,
                                                   int64_t highest,
                                                   const std::optional<std::pair<int64_t, double>>& division,
                                                   int threads) {
    const auto map = mask_argument(labels, "labels");
    const cpu::ScanView scan = scan_argument(volume);
    if (map.size != scan.size) throw std::invalid_argument("labels and volume must have the same shape.");
    if (*std::max_element(map.size.begin(), map.size.end()) >= INT32_MAX) {
        throw std::invalid_argument("labels must have fewer than 2147483647 voxels per axis, found " +
                                    to_text(map.size) + ".");
    }
    if (highest < 0 || highest > kHighestLabel) {
        throw std::invalid_argument("highest must be a label, 0 to 255, found " + std::to_string(highest) +
                                    ".");
    }
    std::optional<cpu::Division> both_sides;
    if (division) {
        const auto [label, middle] = *division;
        if (label < 1 || label > highest) {
            throw std::invalid_argument("division must be of a label from 1 to highest, found " +
                                        std::to_string(label) + ".");
        }
        if (!(std::abs(middle) <= INT32_MAX)) {
            throw std::invalid_argument("division must be at an index, found " + std::to_string(middle) +
                                        ".");
        }
        both_sides = {static_cast<uint8_t>(label), middle};
    }
    const py::gil_scoped_release release;
    return cpu::label_statistics(map, scan, highest, both_sides, threads);
}

}  // namespace

void register_label_statistics(py::module_& module) {
    using cpu::LabelStatistics;
    py::class_<LabelStatistics>(module, "LabelStatistics", "What is known of one label of a label map.")
        .def_readonly("voxels", &LabelStatistics::voxels)
        .def_property_readonly(
            "first", [](const LabelStatistics& self) { return to_tuple(self.first); },
            "The lower corner (z, y, x) of the smallest box, inclusive.")
        .def_property_readonly(
            "last", [](const LabelStatistics& self) { return to_tuple(self.last); },
            "Its upper corner, inclusive.")
        .def_property_readonly(
            "centre", [](const LabelStatistics& self) { return to_tuple(self.centre); },
            "The mean index (z, y, x).")
        .def_readonly("values", &LabelStatistics::values,
                      "The number of finite HU. Without any, what is said of them is 0.")
        .def_readonly("mean", &LabelStatistics::mean)
        .def_readonly("deviation", &LabelStatistics::deviation,
                      "The standard deviation of a sample (n - 1); 0 for one value.")
        .def_property_readonly(
            "percentiles",
            [](const LabelStatistics& self) {
                return py::make_tuple(self.percentiles[0], self.percentiles[1], self.percentiles[2]);
            },
            "The percentiles 5, 50 and 95, linear between values.")
        .def_readonly(
            "pieces", &LabelStatistics::pieces,
            "Voxels of each connected piece, the largest first. Voxels that share a face, an edge or "
            "a corner are connected.");

    module.def(
        "label_statistics", &label_statistics, py::arg("labels"), py::arg("volume"), py::arg("highest"),
        py::arg("division") = py::none(), py::arg("threads") = 0,
        "Statistics of the labels 1 to `highest` over a volume in HU of the same shape (z, y, x). With "
        "`division`, (label, x), those of the label's side of lower x and of that of higher x follow. A "
        "piece lies on the side of its centre, unless the plane x leaves at least a quarter of it on each "
        "side; then the plane divides it.");
}

}  // namespace escn
