#include <pybind11/numpy.h>

#include <cstdint>
#include <optional>

#include "bindings/register.h"
#include "cuda/driver/device.h"
#include "cuda/driver/device_memory.h"
#include "cuda/memory/arena.h"

namespace py = pybind11;

namespace escn {
namespace {

// Memory of a device, freed with the object.
class DeviceBlock {
  public:
    DeviceBlock(std::size_t bytes, int device) : device_(device), memory_(cuda::device_memory(device)) {
        const py::gil_scoped_release release;
        memory_.reserve(bytes);
    }
    ~DeviceBlock() {
        const py::gil_scoped_release release;
        memory_.trim();
    }
    DeviceBlock(const DeviceBlock&) = delete;
    DeviceBlock& operator=(const DeviceBlock&) = delete;

    std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(memory_.base()); }

    py::array_t<uint8_t> copy() const {
        py::array_t<uint8_t> bytes(static_cast<py::ssize_t>(memory_.capacity()));
        void* to = bytes.mutable_data();
        const py::gil_scoped_release release;
        const cuda::DeviceScope current(device_);
        cuda::read_device(to, memory_.base(), memory_.capacity(), 0);
        return bytes;
    }

  private:
    int device_;
    cuda::Arena memory_;
};

// `with CurrentDevice(index):` for calls to other libraries that work on the current GPU.
class CurrentDevice {
  public:
    explicit CurrentDevice(int index) : index_(index) {}
    void enter() { scope_.emplace(index_); }
    void exit() { scope_.reset(); }

  private:
    int index_;
    std::optional<cuda::DeviceScope> scope_;
};

py::array_t<uint8_t> read_device(std::uintptr_t address, std::size_t bytes, engine::Handle stream) {
    py::array_t<uint8_t> result(static_cast<py::ssize_t>(bytes));
    void* to = result.mutable_data();
    const py::gil_scoped_release release;
    cuda::read_device(to, reinterpret_cast<const void*>(address), bytes, stream);
    return result;
}

void write_device(std::uintptr_t address, const py::array_t<uint8_t, py::array::c_style>& bytes,
                  engine::Handle stream) {
    const auto count = static_cast<std::size_t>(bytes.size());
    const void* from = bytes.data();
    const py::gil_scoped_release release;
    cuda::write_device(reinterpret_cast<void*>(address), from, count, stream);
}

}  // namespace

void register_device_block(py::module_& module) {
    py::class_<DeviceBlock>(module, "DeviceBlock", "Memory of a GPU, freed with the object.")
        .def(py::init<std::size_t, int>(), py::arg("bytes"), py::arg("device"))
        .def_property_readonly("address", &DeviceBlock::address)
        .def("copy", &DeviceBlock::copy, "A copy of its bytes on the host.");

    py::class_<CurrentDevice>(module, "CurrentDevice",
                              "Makes a GPU current on this thread within a with block.")
        .def(py::init<int>(), py::arg("device"))
        .def("__enter__", &CurrentDevice::enter)
        .def("__exit__", [](CurrentDevice& current, const py::args&) { current.exit(); });

    module.def("read_device", &read_device, py::arg("address"), py::arg("bytes"), py::arg("stream") = 0,
               "Wait for `stream`, then return a copy of bytes in the current GPU's memory.");
    module.def("write_device", &write_device, py::arg("address"), py::arg("bytes"), py::arg("stream") = 0,
               "Wait for `stream`, then write bytes to the current GPU's memory.");
}

}  // namespace escn
