#include "bindings/arguments.h"
#include "bindings/register.h"
#include "geometry/parameters.h"

namespace py = pybind11;

namespace escn {
namespace {

LocalizationParameters make_localization_parameters(double spacing_mm, double spacing_slack,
                                                    const py::object& valid_sizes, double padding_hu,
                                                    double smoothing_sigma_mm, double box_margin_mm,
                                                    double intensity_scale, double intensity_min,
                                                    double intensity_max) {
    const LocalizationParameters parameters = {spacing_mm,
                                               spacing_slack,
                                               valid_sizes_argument(valid_sizes),
                                               padding_hu,
                                               smoothing_sigma_mm,
                                               box_margin_mm,
                                               {intensity_scale, intensity_min, intensity_max}};
    check(parameters);
    return parameters;
}

}  // namespace

void register_localization_parameters(py::module_& module) {
    using Parameters = LocalizationParameters;
    py::class_<Parameters>(module, "LocalizationParameters",
                           "The parameters of stage 1, from a bundle's manifest.")
        .def(py::init(&make_localization_parameters), py::kw_only(), py::arg("spacing_mm"),
             py::arg("spacing_slack"), py::arg("valid_sizes"), py::arg("padding_hu"),
             py::arg("smoothing_sigma_mm"), py::arg("box_margin_mm"), py::arg("intensity_scale"),
             py::arg("intensity_min"), py::arg("intensity_max"))
        .def_readonly("spacing_mm", &Parameters::spacing_mm)
        .def_readonly("spacing_slack", &Parameters::spacing_slack)
        .def_property_readonly("valid_sizes", [](const Parameters& p) { return to_list(p.valid_sizes); })
        .def_readonly("padding_hu", &Parameters::padding_hu)
        .def_readonly("smoothing_sigma_mm", &Parameters::smoothing_sigma_mm)
        .def_readonly("box_margin_mm", &Parameters::box_margin_mm)
        .def_property_readonly("intensity_scale", [](const Parameters& p) { return p.intensity.scale; })
        .def_property_readonly("intensity_min", [](const Parameters& p) { return p.intensity.min; })
        .def_property_readonly("intensity_max", [](const Parameters& p) { return p.intensity.max; });
}

}  // namespace escn
