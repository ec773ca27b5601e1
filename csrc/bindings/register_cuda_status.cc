#include <pybind11/stl.h>

#include <string>
#include <tuple>
#include <vector>

#include "bindings/register.h"
#include "cuda/driver/cuda_error.h"
#include "cuda/driver/status.h"

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
        entry["problem"] = device.problem;
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

std::string cuda_problem(int found, const std::string& words, int driver, int runtime,
                         const std::string& architectures,
                         const std::vector<std::tuple<std::string, int, int>>& devices) {
    cuda::Status status;
    status.driver = driver;
    status.runtime = runtime;
    status.architectures = architectures;
    for (const auto& [name, major, minor] : devices) {
        status.devices.push_back(cuda::device_status(name, major, minor, 0, architectures));
    }
    return cuda::problem_of(status, found, words);
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
    module.def("cuda_status", &cuda_status,
               "The CUDA support of this build and this machine: built, architectures, runtime and driver "
               "(version), devices and problem. `problem` is a sentence that says why no GPU can be used, "
               "empty if one can. Each device has its own problem. Never raises.");
    module.def(
        "cuda_problem", &cuda_problem, py::arg("found"), py::arg("words") = "", py::kw_only(),
        py::arg("driver"), py::arg("runtime"), py::arg("architectures") = "", py::arg("devices") = py::list(),
        "The problem that `cuda_status` reports if the search for GPUs ends with the CUDA error `found`, "
        "whose text is `words`. A version is 1000 * major + 10 * minor, a device (name, major, minor).");
    module.def("runs_on", &cuda::runs_on, py::arg("architectures"), py::arg("major"), py::arg("minor"),
               "Whether code built for nvcc's `architectures` runs on a GPU of this compute capability.");
}

}  // namespace escn
