#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "unet/unet.h"

namespace py = pybind11;

namespace escn {
namespace {

using Array = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Layer = std::pair<Array, Array>;
using Blocks = std::vector<std::array<Layer, 2>>;

unet::Weights weights_of(const Layer& layer) {
    const Array& kernel = layer.first;
    const Array& bias = layer.second;
    if (kernel.ndim() != 5 || bias.ndim() != 1) {
        throw std::invalid_argument(
            "A layer must be a kernel (outputs, inputs, z, y, x) and a bias (outputs), found " +
            std::to_string(kernel.ndim()) + " and " + std::to_string(bias.ndim()) + " axes.");
    }
    return {kernel.shape(0),
            kernel.shape(1),
            {kernel.data(), kernel.data() + kernel.size()},
            {bias.data(), bias.data() + bias.size()}};
}

std::vector<std::array<unet::Weights, 2>> weights_of(const Blocks& blocks) {
    std::vector<std::array<unet::Weights, 2>> weights;
    for (const auto& block : blocks) weights.push_back({weights_of(block[0]), weights_of(block[1])});
    return weights;
}

std::unique_ptr<unet::UNet> make(const Blocks& contracting, const Blocks& expanding, const Layer& head,
                                 float slope) {
    const unet::UNetWeights weights{weights_of(contracting), weights_of(expanding), weights_of(head), slope};
    const py::gil_scoped_release release;
    return std::make_unique<unet::UNet>(weights);
}

py::array_t<float> run(unet::UNet& network, const py::object& image, int threads) {
    const float* voxels = nullptr;
    const Size size = image_argument(image, voxels);
    py::array_t<float> logits({network.outputs(), size[0], size[1], size[2]});
    float* values = logits.mutable_data();
    {
        const py::gil_scoped_release release;
        network.run(voxels, size, values, threads);
    }
    return logits;
}

}  // namespace

void register_unet(py::module_& module) {
    py::class_<unet::UNet>(module, "UNet", "The U-Net of the paper (section 4.2) on the CPU, in float32.")
        .def(py::init(&make), py::arg("contracting"), py::arg("expanding"), py::arg("head"), py::arg("slope"))
        .def("run", &run, py::arg("image"), py::arg("threads") = 0,
             "Logits, float32 (output, z, y, x), of an image, float32 (z, y, x).")
        .def("release", &unet::UNet::release, py::call_guard<py::gil_scoped_release>(),
             "Free the memory that is kept for the next image of the same size.");
}

}  // namespace escn
