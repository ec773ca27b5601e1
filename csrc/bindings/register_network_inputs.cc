#include <pybind11/numpy.h>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "cpu/network_input.h"

namespace py = pybind11;

namespace escn {
namespace {

py::array_t<float> empty_image(const Size& size) { return py::array_t<float>({size[0], size[1], size[2]}); }

py::array_t<float> localization_input(const py::object& volume, const LocalizationPlan& plan,
                                      const LocalizationParameters& parameters, int threads) {
    const cpu::ScanView scan = scan_argument(volume);
    py::array_t<float> output = empty_image(plan.input_size);
    float* data = output.mutable_data();
    const py::gil_scoped_release release;
    cpu::localization_input(scan, plan, parameters, threads, data);
    return output;
}

py::array_t<float> segmentation_input(const py::object& volume, const py::object& spacing,
                                      const SegmentationPlan& plan, const SegmentationParameters& parameters,
                                      int threads) {
    const cpu::ScanView scan = scan_argument(volume);
    const Triple<double> millimetres = spacing_argument(spacing, "spacing");
    py::array_t<float> output = empty_image(plan.input_size);
    float* data = output.mutable_data();
    const py::gil_scoped_release release;
    cpu::segmentation_input(scan, millimetres, plan, parameters, threads, data);
    return output;
}

}  // namespace

void register_network_inputs(py::module_& module) {
    module.def("localization_input", &localization_input, py::arg("volume"), py::arg("plan"),
               py::arg("parameters"), py::arg("threads") = 0,
               "float32 input (z, y, x) of the localization network: smoothed, area-resized, padded.");
    module.def("segmentation_input", &segmentation_input, py::arg("volume"), py::arg("spacing"),
               py::arg("plan"), py::arg("parameters"), py::arg("threads") = 0,
               "float32 input (z, y, x) of the segmentation network: smoothed, cropped, area-resized.");
}

}  // namespace escn
