#include "bindings/arguments.h"
#include "bindings/register.h"
#include "geometry/parameters.h"

namespace py = pybind11;

namespace escn {
namespace {

SegmentationParameters make_segmentation_parameters(double spacing_mm, double spacing_threshold,
                                                    double spacing_slack, const py::object& valid_sizes,
                                                    double smoothing_sigma_mm, double outside_hu,
                                                    double intensity_scale, double intensity_min,
                                                    double intensity_max) {
    const SegmentationParameters parameters = {spacing_mm,
                                               spacing_threshold,
                                               spacing_slack,
                                               valid_sizes_argument(valid_sizes),
                                               smoothing_sigma_mm,
                                               outside_hu,
                                               {intensity_scale, intensity_min, intensity_max}};
    check(parameters);
    return parameters;
}

}  // namespace

void register_segmentation_parameters(py::module_& module) {
    using Parameters = SegmentationParameters;
    py::class_<Parameters>(module, "SegmentationParameters",
                           "The parameters of stage 2, from a bundle's manifest.")
        .def(py::init(&make_segmentation_parameters), py::kw_only(), py::arg("spacing_mm"),
             py::arg("spacing_threshold"), py::arg("spacing_slack"), py::arg("valid_sizes"),
             py::arg("smoothing_sigma_mm"), py::arg("outside_hu"), py::arg("intensity_scale"),
             py::arg("intensity_min"), py::arg("intensity_max"))
        .def_readonly("spacing_mm", &Parameters::spacing_mm)
        .def_readonly("spacing_threshold", &Parameters::spacing_threshold)
        .def_readonly("spacing_slack", &Parameters::spacing_slack)
        .def_property_readonly("valid_sizes", [](const Parameters& p) { return to_list(p.valid_sizes); })
        .def_readonly("smoothing_sigma_mm", &Parameters::smoothing_sigma_mm)
        .def_readonly("outside_hu", &Parameters::outside_hu)
        .def_property_readonly("intensity_scale", [](const Parameters& p) { return p.intensity.scale; })
        .def_property_readonly("intensity_min", [](const Parameters& p) { return p.intensity.min; })
        .def_property_readonly("intensity_max", [](const Parameters& p) { return p.intensity.max; });
}

}  // namespace escn
