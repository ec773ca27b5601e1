#include "bindings/arguments.h"
#include "bindings/register.h"
#include "geometry/segmentation_plan.h"
#include "geometry/text.h"

namespace py = pybind11;

namespace escn {

void register_segmentation_plan(py::module_& module) {
    using Plan = SegmentationPlan;
    py::class_<Plan>(module, "SegmentationPlan", "Which part of an image the segmentation network sees.")
        .def_property_readonly("image_size", [](const Plan& plan) { return to_tuple(plan.image_size); })
        .def_property_readonly("spacing", [](const Plan& plan) { return to_tuple(plan.spacing); })
        .def_property_readonly("input_size", [](const Plan& plan) { return to_tuple(plan.input_size); })
        .def_readonly("box", &Plan::box)
        .def_property_readonly("crop_start", [](const Plan& plan) { return to_tuple(plan.crop_start); })
        .def_property_readonly("crop_stop", [](const Plan& plan) { return to_tuple(plan.crop_stop); })
        .def_property_readonly("cropped_size", [](const Plan& plan) { return to_tuple(plan.cropped_size); })
        .def_property_readonly("croppings", [](const Plan& plan) { return to_list(plan.croppings); })
        .def_property_readonly("paddings", [](const Plan& plan) { return to_list(plan.paddings); })
        .def("__repr__", [](const Plan& plan) {
            return "SegmentationPlan(spacing=" + to_text(plan.spacing) +
                   ", input_size=" + to_text(plan.input_size) + ", crop_start=" + to_text(plan.crop_start) +
                   ", crop_stop=" + to_text(plan.crop_stop) + ")";
        });

    module.def(
        "plan_segmentation",
        [](const py::object& size, const py::object& spacing, const Box& box,
           const SegmentationParameters& parameters) {
            return plan_segmentation(size_argument(size, "size"), spacing_argument(spacing, "spacing"), box,
                                     parameters);
        },
        py::arg("size"), py::arg("spacing"), py::arg("box"), py::arg("parameters"),
        "Plan stage 2 for `box` in an image of `size` voxels and `spacing` mm, (z, y, x).");
}

}  // namespace escn
