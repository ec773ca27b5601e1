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
        if (simulated_) {
            std::memcpy(to, memory_.base(), memory_.capacity());
        } else {
            const auto current = cuda::make_cuda_current(device_);
            cuda::read_cuda(to, memory_.base(), memory_.capacity(), 0);
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

py::array_t<uint8_t> read_device(std::uintptr_t address, std::size_t bytes, engine::Handle stream) {
    py::array_t<uint8_t> result(static_cast<py::ssize_t>(bytes));
    void* to = result.mutable_data();
    const py::gil_scoped_release release;
    cuda::read_cuda(to, reinterpret_cast<const void*>(address), bytes, stream);
    return result;
}

void write_device(std::uintptr_t address, const py::array_t<uint8_t, py::array::c_style>& bytes,
                  engine::Handle stream) {
    const auto count = static_cast<std::size_t>(bytes.size());
    const void* from = bytes.data();
    const py::gil_scoped_release release;
    cuda::write_cuda(reinterpret_cast<void*>(address), from, count, stream);
}

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

    module.def("read_device", &read_device, py::arg("address"), py::arg("bytes"), py::arg("stream") = 0,
               "Bytes of the current GPU's memory, once `stream` is done.");
    module.def("write_device", &write_device, py::arg("address"), py::arg("bytes"), py::arg("stream") = 0,
               "Write bytes to the current GPU's memory, once `stream` is done.");
}

}  // namespace escn
