#include "engine/tensorrt_network.h"

#include <pybind11/stl.h>

#include <limits>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace py = pybind11;

namespace escn::engine {
namespace {

std::vector<int64_t> dimensions(const py::handle& shape) {
    return py::cast<std::vector<int64_t>>(py::list(py::reinterpret_borrow<py::object>(shape)));
}

std::string text(const std::vector<int64_t>& shape) {
    std::ostringstream out;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) out << (axis == 0 ? "" : "×") << shape[axis];
    return out.str();
}

DataType data_type_of(const py::object& engine, const std::string& tensor) {
    const auto name = py::cast<std::string>(engine.attr("get_tensor_dtype")(tensor).attr("name"));
    if (name == "FLOAT") return DataType::kFloat32;
    if (name == "HALF") return DataType::kFloat16;
    if (name == "BOOL" || name == "UINT8") return DataType::kByte;
    throw std::invalid_argument("The engine's tensor " + tensor + " is of type " + name +
                                ", expected FLOAT, HALF or BOOL; build the engine again.");
}

bool within(const std::vector<int64_t>& shape, const std::vector<int64_t>& min,
            const std::vector<int64_t>& max) {
    if (shape.size() != min.size() || shape.size() != max.size()) return false;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (shape[axis] < min[axis] || shape[axis] > max[axis]) return false;
    }
    return true;
}

double volume(const std::vector<int64_t>& shape) {
    double product = 1;
    for (int64_t extent : shape) product *= static_cast<double>(extent);
    return product;
}

}  // namespace

std::size_t bytes_of(DataType type) {
    switch (type) {
        case DataType::kFloat32:
            return 4;
        case DataType::kFloat16:
            return 2;
        case DataType::kByte:
            return 1;
    }
    throw std::logic_error("unknown data type");
}

TensorRTNetwork::TensorRTNetwork(py::object api, py::object engine, py::object context, std::string input,
                                 std::string output)
    : api_(std::move(api)),
      engine_(std::move(engine)),
      context_(std::move(context)),
      input_(std::move(input)),
      output_(std::move(output)),
      input_type_(data_type_of(engine_, input_)),
      output_type_(data_type_of(engine_, output_)) {
    for (const py::handle& range : api_.attr("profile_ranges")(engine_, input_)) {
        const py::tuple ends = py::tuple(py::reinterpret_borrow<py::object>(range));
        profiles_.push_back({dimensions(ends[0]), dimensions(ends[1])});
    }
}

TensorRTNetwork::~TensorRTNetwork() {
    const py::gil_scoped_acquire gil;
    context_ = py::object();  // released before the engine that created it
    engine_ = py::object();
    api_ = py::object();
}

// Of the profiles that accept the shape, the one with the smallest maximum: its kernels are tuned for
// the nearest sizes.
int TensorRTNetwork::profile_for(const std::vector<int64_t>& shape) const {
    int best = -1;
    double best_volume = std::numeric_limits<double>::infinity();
    for (std::size_t index = 0; index < profiles_.size(); ++index) {
        const Profile& profile = profiles_[index];
        if (within(shape, profile.min, profile.max) && volume(profile.max) < best_volume) {
            best = static_cast<int>(index);
            best_volume = volume(profile.max);
        }
    }
    if (best < 0) {
        std::string ranges;
        for (const Profile& profile : profiles_) {
            ranges += (ranges.empty() ? "" : ", ") + text(profile.min) + " to " + text(profile.max);
        }
        api_.attr("refuse")("The engine's profiles take inputs of " + ranges + ", but this scan needs " +
                            text(shape) + "; build the engine again from this bundle.");
    }
    return best;
}

void TensorRTNetwork::require(bool succeeded, const char* call) const {
    if (!succeeded) api_.attr("fail")(call);  // raises, with what TensorRT logged
}

// Skips calls that change nothing, because TensorRT may treat every call as a change. It does the work of a
// change in the next inference, which is then slow and cannot be captured in a graph.
Requirements TensorRTNetwork::prepare(const Size& size, Handle stream) {
    const std::vector<int64_t> shape = {1, 1, size[0], size[1], size[2]};
    if (shape == shape_) return requirements_;
    const py::gil_scoped_acquire gil;
    const int profile = profile_for(shape);
    shape_.clear();
    memory_.reset();
    if (profile_ != profile) {
        profile_.reset();
        require(py::cast<bool>(context_.attr("set_optimization_profile_async")(profile, stream)),
                "set_optimization_profile_async");
        profile_ = profile;
    }
    require(py::cast<bool>(context_.attr("set_input_shape")(input_, py::tuple(py::cast(shape)))),
            "set_input_shape");
    requirements_.output_shape = dimensions(context_.attr("get_tensor_shape")(output_));
    requirements_.activation_bytes =
        py::cast<std::size_t>(api_.attr("activation_bytes")(engine_, context_, profile));
    shape_ = shape;
    return requirements_;
}

void TensorRTNetwork::enqueue(const RunMemory& memory, Handle stream) {
    const py::gil_scoped_acquire gil;
    if (!(memory_ == memory)) {
        memory_.reset();
        api_.attr("give_memory")(context_, memory.activation, memory.activation_bytes);
        require(py::cast<bool>(context_.attr("set_tensor_address")(input_, memory.input)),
                "set_tensor_address");
        require(py::cast<bool>(context_.attr("set_tensor_address")(output_, memory.output)),
                "set_tensor_address");
        memory_ = memory;
    }
    require(py::cast<bool>(context_.attr("execute_async_v3")(stream)), "execute_async_v3");
}

}  // namespace escn::engine
