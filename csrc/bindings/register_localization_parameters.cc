#include "bindings/arguments.h"
#include "bindings/register.h"
#include "geometry/parameters.h"

namespace py = pybind11;

namespace escn {
namespace {

LocalizationParameters make_parameters(double spacing_mm, double spacing_slack, const py::object& valid_sizes,
                                       double padding_hu, double smoothing_sigma_mm, double box_margin_mm,
                                       double intensity_scale, double intensity_min, double intensity_max) {
    LocalizationParameters parameters;
    parameters.spacing_mm = spacing_mm;
    parameters.spacing_slack = spacing_slack;
    if (!valid_sizes.is_none()) parameters.valid_sizes = valid_sizes_argument(valid_sizes);
    parameters.padding_hu = padding_hu;
    parameters.smoothing_sigma_mm = smoothing_sigma_mm;
    parameters.box_margin_mm = box_margin_mm;
    parameters.intensity = {intensity_scale, intensity_min, intensity_max};
    check(parameters);
    return parameters;
}

}  // namespace

void register_localization_parameters(py::module_& module) {
    const LocalizationParameters released;
    using Parameters = LocalizationParameters;
    py::class_<Parameters>(module, "LocalizationParameters",
                           "What stage 1 assumes; the defaults are the released code's (reference table).")
        .def(py::init(&make_parameters), py::kw_only(), py::arg("spacing_mm") = released.spacing_mm,
             py::arg("spacing_slack") = released.spacing_slack, py::arg("valid_sizes") = py::none(),
             py::arg("padding_hu") = released.padding_hu,
             py::arg("smoothing_sigma_mm") = released.smoothing_sigma_mm,
             py::arg("box_margin_mm") = released.box_margin_mm,
             py::arg("intensity_scale") = released.intensity.scale,
             py::arg("intensity_min") = released.intensity.min,
             py::arg("intensity_max") = released.intensity.max)
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
