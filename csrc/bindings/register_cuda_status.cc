#include <pybind11/stl.h>

#include "bindings/register.h"
#include "cuda/cuda_error.h"
#include "cuda/status.h"

namespace py = pybind11;

namespace escn {
namespace {

py::dict cuda_status() {
    cuda::Status status;
    {
        const py::gil_scoped_release release;
        status = cuda::status();
    }
    py::list devices;
    for (const cuda::DeviceStatus& device : status.devices) {
        py::dict entry;
        entry["name"] = device.name;
        entry["compute_capability"] = py::make_tuple(device.major, device.minor);
        entry["memory"] = device.memory;
        entry["supported"] = device.supported;
        devices.append(entry);
    }
    py::dict result;
    result["built"] = status.built;
    result["architectures"] = status.architectures;
    result["runtime"] = py::make_tuple(status.runtime / 1000, status.runtime % 1000 / 10);
    result["driver"] = py::make_tuple(status.driver / 1000, status.driver % 1000 / 10);
    result["devices"] = devices;
    result["problem"] = status.problem;
    return result;
}

void translate(std::exception_ptr failure) {
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (const cuda::CudaError& error) {
        py::set_error(py::module_::import("efficientscn_trt.errors").attr("DeviceError"), error.what());
    }
}

}  // namespace

void register_cuda_status(py::module_& module) {
    py::register_exception_translator(&translate);
    module.def(
        "cuda_status", &cuda_status,
        "What this build and this machine offer for CUDA: built, architectures, runtime and driver version, "
        "devices, and problem, a sentence that says why no GPU can be used, or an empty one. Never raises.");
    module.def("runs_on", &cuda::runs_on, py::arg("architectures"), py::arg("major"), py::arg("minor"),
               "Whether code built for nvcc's `architectures` runs on a GPU of this compute capability.");
}

}  // namespace escn
