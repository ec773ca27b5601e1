#include "bindings/arguments.h"
#include "bindings/register.h"
#include "geometry/localization_plan.h"
#include "geometry/text.h"

namespace py = pybind11;

namespace escn {

void register_localization_plan(py::module_& module) {
    using Plan = LocalizationPlan;
    py::class_<Plan>(module, "LocalizationPlan", "How an image becomes the localization network's input.")
        .def_property_readonly("image_size", [](const Plan& plan) { return to_tuple(plan.image_size); })
        .def_property_readonly("spacing", [](const Plan& plan) { return to_tuple(plan.spacing); })
        .def_property_readonly("resized_size", [](const Plan& plan) { return to_tuple(plan.resized_size); })
        .def_property_readonly("input_size", [](const Plan& plan) { return to_tuple(plan.input_size); })
        .def_property_readonly("pad_before", [](const Plan& plan) { return to_tuple(plan.pad_before); })
        .def_property_readonly("pad_after", [](const Plan& plan) { return to_tuple(plan.pad_after); })
        .def("__repr__", [](const Plan& plan) {
            return "LocalizationPlan(spacing=" + to_text(plan.spacing) +
                   ", resized_size=" + to_text(plan.resized_size) +
                   ", input_size=" + to_text(plan.input_size) + ")";
        });

    module.def(
        "plan_localization",
        [](const py::object& size, const py::object& spacing, const LocalizationParameters& parameters) {
            return plan_localization(size_argument(size, "size"), spacing_argument(spacing, "spacing"),
                                     parameters);
        },
        py::arg("size"), py::arg("spacing"), py::arg("parameters"),
        "Plan stage 1 for an image of `size` voxels and `spacing` mm, (z, y, x).");
    module.def(
        "box_from_mask",
        [](const py::object& first, const py::object& last, const LocalizationPlan& plan,
           const LocalizationParameters& parameters) {
            return box_from_mask(size_argument(first, "first"), size_argument(last, "last"), plan,
                                 parameters);
        },
        py::arg("first"), py::arg("last"), py::arg("plan"), py::arg("parameters"),
        "Box in mm, with margin, around a mask whose inclusive corners are `first` and `last` in input "
        "voxels.");
    module.def("whole_volume_box", &whole_volume_box, py::arg("plan"), py::arg("parameters"),
               "Box in mm for an empty mask: all of the padded input, with margin.");
}

}  // namespace escn
