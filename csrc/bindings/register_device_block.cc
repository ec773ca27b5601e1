#include <pybind11/numpy.h>

#include <cstdint>
#include <cstring>
#include <memory>

#include "bindings/register.h"
#include "cuda/arena.h"
#include "cuda/make_device.h"

namespace py = pybind11;

namespace escn {
namespace {

// Memory of a device that lives as long as the object.
class DeviceBlock {
  public:
    DeviceBlock(std::size_t bytes, int device, bool simulated)
        : device_(device),
          simulated_(simulated),
          memory_(simulated ? cuda::host_arena_memory() : cuda::cuda_memory(device)) {
        memory_.reserve(bytes);
    }

    std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(memory_.base()); }

    py::array_t<uint8_t> copy() const {
        py::array_t<uint8_t> bytes(static_cast<py::ssize_t>(memory_.capacity()));
        void* to = bytes.mutable_data();
        const py::gil_scoped_release release;
        if (simulated_) {
            std::memcpy(to, memory_.base(), memory_.capacity());
        } else {
            cuda::copy_from_cuda(device_, to, memory_.base(), memory_.capacity());
        }
        return bytes;
    }

  private:
    int device_;
    bool simulated_;
    cuda::Arena memory_;
};

// `with CurrentDevice(index):` for the calls of others that work on the current GPU.
class CurrentDevice {
  public:
    explicit CurrentDevice(int index) : index_(index) {}
    void enter() { guard_ = cuda::make_cuda_current(index_); }
    void exit() { guard_.reset(); }

  private:
    int index_;
    std::unique_ptr<cuda::DeviceGuard> guard_;
};

}  // namespace

void register_device_block(py::module_& module) {
    py::class_<DeviceBlock>(module, "DeviceBlock", "Memory of a GPU, freed with the object.")
        .def(py::init<std::size_t, int, bool>(), py::arg("bytes"), py::arg("device"), py::kw_only(),
             py::arg("simulated") = false)
        .def_property_readonly("address", &DeviceBlock::address)
        .def("copy", &DeviceBlock::copy, "Its bytes, on the host.");

    py::class_<CurrentDevice>(module, "CurrentDevice", "Makes a GPU current on this thread, in a with block.")
        .def(py::init<int>(), py::arg("device"))
        .def("__enter__", &CurrentDevice::enter)
        .def("__exit__", [](CurrentDevice& current, const py::args&) { current.exit(); });

    module.def(
        "cuda_device_of",
        [](std::uintptr_t address) { return cuda::cuda_device_of(reinterpret_cast<const void*>(address)); },
        py::arg("address"), "The GPU whose memory holds `address`; -1 for memory of the host.");
}

}  // namespace escn
