#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "geometry/text.h"
#include "network/unet.h"

namespace py = pybind11;

namespace escn {
namespace {

using Array = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Layer = std::pair<Array, Array>;
using Blocks = std::vector<std::array<Layer, 2>>;

network::Weights weights_of(const Layer& layer) {
    const Array& kernel = layer.first;
    const Array& bias = layer.second;
    if (kernel.ndim() != 5 || bias.ndim() != 1) {
        throw std::invalid_argument(
            "A layer must be a kernel (outputs, inputs, z, y, x) and a bias (outputs), found " +
            std::to_string(kernel.ndim()) + " and " + std::to_string(bias.ndim()) + " axes.");
    }
    const Size taps = {kernel.shape(2), kernel.shape(3), kernel.shape(4)};
    if (taps[0] != taps[1] || taps[1] != taps[2]) {
        throw std::invalid_argument("A kernel must have as many taps along each axis, found " +
                                    to_text(taps) + ".");
    }
    return {kernel.shape(0),
            kernel.shape(1),
            {kernel.data(), kernel.data() + kernel.size()},
            {bias.data(), bias.data() + bias.size()}};
}

std::vector<std::array<network::Weights, 2>> weights_of(const Blocks& blocks) {
    std::vector<std::array<network::Weights, 2>> weights;
    for (const auto& block : blocks) weights.push_back({weights_of(block[0]), weights_of(block[1])});
    return weights;
}

std::unique_ptr<network::UNet> make_unet(const Blocks& contracting, const Blocks& expanding,
                                         const Layer& head, float slope) {
    const network::UNetWeights weights{weights_of(contracting), weights_of(expanding), weights_of(head),
                                       slope};
    const py::gil_scoped_release release;
    return std::make_unique<network::UNet>(weights);
}

void run(network::UNet& network, const py::object& image, const py::object& logits, int threads) {
    const Channels from = image_argument(image);
    const Logits to = logits_argument(logits, "logits");
    if (from.count != network.inputs()) {
        throw std::invalid_argument("image must have " + std::to_string(network.inputs()) +
                                    " channels, found " + std::to_string(from.count) + ".");
    }
    if (to.outputs != network.outputs() || to.size != from.size) {
        throw std::invalid_argument("logits must have " + std::to_string(network.outputs()) +
                                    " outputs of the image's " + to_text(from.size) + " voxels, found " +
                                    std::to_string(to.outputs) + " of " + to_text(to.size) + ".");
    }
    const py::gil_scoped_release release;
    network.run(from.values, from.size, to.values, threads);
}

}  // namespace

void register_unet(py::module_& module) {
    py::class_<network::UNet>(module, "UNet", "The U-Net of the paper (section 4.2) on the CPU, in float32.")
        .def(py::init(&make_unet), py::arg("contracting"), py::arg("expanding"), py::arg("head"),
             py::arg("slope"))
        .def_property_readonly("inputs", &network::UNet::inputs)
        .def_property_readonly("outputs", &network::UNet::outputs)
        .def("run", &run, py::arg("image"), py::arg("logits"), py::arg("threads") = 0,
             "Write the logits, float32 (output, z, y, x), of an image, float32 (input, z, y, x).")
        .def(
            "bytes_for",
            [](const network::UNet& network, const py::object& size, int threads) {
                return network.bytes_for(size_argument(size, "size"), threads);
            },
            py::arg("size"), py::arg("threads") = 0,
            "How much memory `run` takes for an image of `size` (z, y, x), beside the image and the logits.")
        .def("release", &network::UNet::release, py::call_guard<py::gil_scoped_release>(),
             "Free the memory that is kept for the next image of the same size.");
}

}  // namespace escn
