#include <pybind11/numpy.h>

#include <stdexcept>
#include <string>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "geometry/text.h"
#include "network/combination.h"

namespace py = pybind11;

namespace escn {
namespace {

void require_one_channel(const char* name, int64_t count, const Size& size, const Size& expected) {
    if (count == 1 && size == expected) return;
    throw std::invalid_argument(std::string(name) + " must have one channel of the logits' " +
                                to_text(expected) + " voxels, found " + std::to_string(count) + " of " +
                                to_text(size) + ".");
}

py::array_t<float> pool_inputs(const py::object& image, const py::object& logits, int64_t stride,
                               bool softmax, int threads) {
    const Channels voxels = image_argument(image);
    const Logits local = logits_argument(logits, "logits");
    require_one_channel("image", voxels.count, voxels.size, local.size);
    const Size small = network::small_size(local.size, stride);
    py::array_t<float> pooled({1 + local.outputs, small[0], small[1], small[2]});
    float* to = pooled.mutable_data();
    {
        const py::gil_scoped_release release;
        network::pool_inputs(voxels.values, local.values, local.outputs, local.size, stride,
                             softmax ? network::Prediction::kSoftmax : network::Prediction::kSigmoid, to,
                             threads);
    }
    return pooled;
}

void combine(const py::object& logits, const py::object& spatial, int64_t stride,
             const py::object& background, int threads) {
    const Logits local = logits_argument(logits, "logits"),
                 other = logits_argument(spatial, "spatial_logits");
    const Size small = network::small_size(local.size, stride);
    if (other.outputs != local.outputs || other.size != small) {
        throw std::invalid_argument("spatial_logits must have as many labels as logits, and " +
                                    to_text(small) + " voxels, found " + std::to_string(other.outputs) +
                                    " of " + to_text(other.size) + ".");
    }
    float* rest = nullptr;
    if (!background.is_none()) {
        const Logits channel = logits_argument(background, "background");
        require_one_channel("background", channel.outputs, channel.size, local.size);
        rest = channel.values;
    }
    const py::gil_scoped_release release;
    network::combine(local.values, other.values, local.outputs, local.size, stride, rest, threads);
}

}  // namespace

void register_combination(py::module_& module) {
    module.def("pool_inputs", &pool_inputs, py::arg("image"), py::arg("logits"), py::kw_only(),
               py::arg("stride"), py::arg("softmax"), py::arg("threads") = 0,
               "Means over stride³ voxels of an image, float32 (1, z, y, x), and then of the sigmoids, or of "
               "the softmax over the labels, of logits, float32 (label, z, y, x). The means are float32 "
               "(1 + label, z, y, x). The stride is 2, 4 or 8.");
    module.def("combine", &combine, py::arg("logits"), py::arg("spatial_logits"), py::kw_only(),
               py::arg("stride"), py::arg("background") = py::none(), py::arg("threads") = 0,
               "Turn the SCN's local logits (label, z, y, x) into its probabilities, in place. The spatial "
               "networks' voxels are `stride` times as large along each axis: 2, 4 or 8. If the labels are "
               "without the background, `background` (1, z, y, x) gets its probability: what they leave of "
               "1 before all are divided by their sum.");
}

}  // namespace escn
