#include <pybind11/stl.h>

#include <memory>
#include <string>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "engine/tensorrt_network.h"

namespace py = pybind11;

namespace escn {
namespace {

using engine::TensorRTNetwork;

std::shared_ptr<TensorRTNetwork> make_network(const py::object& api, const py::object& engine,
                                              const py::object& context, const std::string& input,
                                              const std::string& output) {
    return std::make_shared<TensorRTNetwork>(api, engine, context, input, output);
}

std::string data_type_name(engine::DataType type) {
    switch (type) {
        case engine::DataType::kFloat32:
            return "float32";
        case engine::DataType::kFloat16:
            return "float16";
        case engine::DataType::kByte:
            return "bool";
    }
    return "";
}

py::tuple prepare(TensorRTNetwork& network, const py::object& size, engine::Handle stream) {
    const engine::Requirements requirements = network.prepare(size_argument(size, "size"), stream);
    return py::make_tuple(py::tuple(py::cast(requirements.output_shape)), requirements.activation_bytes);
}

void enqueue(TensorRTNetwork& network, engine::Handle input, engine::Handle output, engine::Handle activation,
             std::size_t activation_bytes, engine::Handle stream) {
    network.enqueue({input, output, activation, activation_bytes}, stream);
}

}  // namespace

void register_network(py::module_& module) {
    py::class_<TensorRTNetwork, std::shared_ptr<TensorRTNetwork>>(
        module, "Network",
        "An execution context of a TensorRT engine that runs on the caller's memory and stream.")
        .def(py::init(&make_network), py::arg("api"), py::arg("engine"), py::arg("context"), py::arg("input"),
             py::arg("output"))
        .def("prepare", &prepare, py::arg("size"), py::arg("stream") = 0,
             "Set the input's size (z, y, x); return the output's shape and the bytes of scratch memory that "
             "an inference needs.")
        .def("enqueue", &enqueue, py::arg("input"), py::arg("output"), py::arg("activation"),
             py::arg("activation_bytes"), py::arg("stream"),
             "Queue an inference; addresses are in device memory.")
        .def_property_readonly(
            "input_dtype",
            [](const TensorRTNetwork& network) { return data_type_name(network.input_type()); })
        .def_property_readonly("output_dtype", [](const TensorRTNetwork& network) {
            return data_type_name(network.output_type());
        });
}

}  // namespace escn
