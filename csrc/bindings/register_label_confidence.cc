#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <vector>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "cpu/label_confidence.h"
#include "resample/confidence.h"

namespace py = pybind11;

namespace escn {
namespace {

using cpu::LabelConfidence;

std::vector<LabelConfidence> label_confidence(const py::object& probabilities, const SegmentationPlan& plan,
                                              int threads) {
    int64_t classes = 0;
    const float* values = probabilities_argument(probabilities, plan.input_size, classes);
    const py::gil_scoped_release release;
    return cpu::label_confidence(values, classes, plan.input_size, voxels_in_image(plan), threads);
}

double mean(const LabelConfidence& self) {
    if (self.voxels == 0) return 0;
    return static_cast<double>(self.confidence) / static_cast<double>(self.voxels) / kOne;
}

}  // namespace

void register_label_confidence(py::module_& module) {
    py::class_<LabelConfidence>(module, "LabelConfidence",
                                "How sure the segmentation network is of a label, in voxels of its input.")
        .def_readonly("voxels", &LabelConfidence::voxels,
                      "The number of voxels in the image whose largest probability is that of the label; 0 "
                      "for the background.")
        .def_property_readonly("mean", &mean, "The mean of that probability, 0 without a voxel.")
        .def_readonly("faces", &LabelConfidence::faces, "Those between its voxels and voxels of another one.")
        .def_readonly("doubtful_faces", &LabelConfidence::doubtful_faces,
                      "Those between two voxels whose two largest probabilities differ by less than 0.5.")
        .def_readonly(
            "unsound", &LabelConfidence::unsound,
            "Its voxels with a value outside [-1, 1], or NaN, so that nothing else is to be trusted.");

    module.def("label_confidence", &label_confidence, py::arg("probabilities"), py::arg("plan"),
               py::arg("threads") = 0,
               "The LabelConfidence of each label of the probabilities (class, z, y, x).");
}

}  // namespace escn
