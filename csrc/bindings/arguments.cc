#include "bindings/arguments.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "geometry/text.h"

namespace py = pybind11;

namespace escn {
namespace {

std::string text_of(const py::handle& object) { return py::cast<std::string>(py::str(object)); }

// A value as Python shows it, in one line and not at length.
std::string shown(const py::handle& object) {
    constexpr py::ssize_t longest = 200;
    const py::str line = py::str(" ").attr("join")(py::repr(object).attr("split")());
    if (static_cast<py::ssize_t>(py::len(line)) <= longest) return text_of(line);
    return text_of(line[py::slice(0, longest, 1)]) + "...";
}

template <typename T>
Triple<T> triple_argument(const py::handle& object, const char* name, const char* kind) {
    try {
        return py::cast<Triple<T>>(object);
    } catch (const py::cast_error&) {
        throw std::invalid_argument(std::string(name) + " must be three " + kind + " (z, y, x), found " +
                                    shown(object) + ".");
    }
}

// A nonempty array of `ndim` axes, aligned to its data type.
py::array array_argument(const py::handle& object, const char* name, int ndim) {
    const std::string subject(name);
    if (!py::isinstance<py::array>(object)) {
        throw std::invalid_argument(subject + " must be a NumPy array, found " +
                                    text_of(py::type::handle_of(object).attr("__name__")) + ".");
    }
    auto array = py::reinterpret_borrow<py::array>(object);
    if (array.ndim() != ndim) {
        throw std::invalid_argument(subject + " must have " + std::to_string(ndim) +
                                    " axes, found the shape " + text_of(array.attr("shape")) + ".");
    }
    if (array.size() == 0) {
        throw std::invalid_argument(subject + " must not be empty, found the shape " +
                                    text_of(array.attr("shape")) + ".");
    }
    if (!py::cast<bool>(array.attr("flags").attr("aligned"))) {
        throw std::invalid_argument(subject + " is not aligned to its data type; pass a copy of it.");
    }
    return array;
}

template <typename T>
bool holds(const py::array& array) {
    return py::isinstance<py::array_t<T>>(array);
}

std::optional<cpu::VoxelType> voxel_type(const py::array& array) {
    if (holds<int16_t>(array)) return cpu::VoxelType::kInt16;
    if (holds<uint8_t>(array)) return cpu::VoxelType::kUint8;
    if (holds<uint16_t>(array)) return cpu::VoxelType::kUint16;
    if (holds<int32_t>(array)) return cpu::VoxelType::kInt32;
    if (holds<float>(array)) return cpu::VoxelType::kFloat;
    return std::nullopt;
}

[[noreturn]] void refuse_type(const char* name, const char* expected, const py::array& array) {
    throw std::invalid_argument(std::string(name) + " must hold " + expected + ", found " +
                                text_of(array.dtype()) + "; convert it first.");
}

void require_contiguous(const py::array& array, const std::string& name) {
    if (!(array.flags() & py::array::c_style)) {
        throw std::invalid_argument(name + " must be C-contiguous; pass numpy.ascontiguousarray(" + name +
                                    ").");
    }
}

Triple<int64_t> shape_of(const py::array& array) { return {array.shape(0), array.shape(1), array.shape(2)}; }

Triple<int64_t> strides_of(const py::array& array) {
    Triple<int64_t> strides;
    for (int axis = 0; axis < 3; ++axis) {
        // An axis of length 1 may have any stride, even the one that has no absolute value.
        strides[axis] = std::max<int64_t>(array.strides(axis) / array.itemsize(), -INT64_MAX);
    }
    return strides;
}

}  // namespace

Size size_argument(const py::handle& object, const char* name) {
    return triple_argument<int64_t>(object, name, "whole numbers");
}

Triple<double> spacing_argument(const py::handle& object, const char* name) {
    return triple_argument<double>(object, name, "numbers");
}

ValidSizes valid_sizes_argument(const py::handle& object) {
    return triple_argument<std::vector<int64_t>>(object, "valid_sizes", "lists of sizes");
}

cpu::ScanView scan_argument(const py::handle& volume) {
    const py::array array = array_argument(volume, "volume", 3);
    const auto type = voxel_type(array);
    if (!type) refuse_type("volume", "int16, uint8, uint16, int32 or float32 voxels", array);
    return {array.data(), *type, shape_of(array), strides_of(array)};
}

cpu::View<const uint8_t> mask_argument(const py::handle& mask, const char* name) {
    const py::array array = array_argument(mask, name, 3);
    if (!holds<bool>(array) && !holds<uint8_t>(array)) refuse_type(name, "bool or uint8 voxels", array);
    return {static_cast<const uint8_t*>(array.data()), shape_of(array), strides_of(array)};
}

cpu::View<uint8_t> labels_argument(const py::handle& labels) {
    py::array array = array_argument(labels, "labels", 3);
    if (!holds<uint8_t>(array)) refuse_type("labels", "uint8 voxels", array);
    if (!array.writeable()) throw std::invalid_argument("labels must be writable, found a read-only array.");
    return {static_cast<uint8_t*>(array.mutable_data()), shape_of(array), strides_of(array)};
}

const float* probabilities_argument(const py::handle& probabilities, const Size& size, int64_t& classes) {
    const py::array array = array_argument(probabilities, "probabilities", 4);
    if (!holds<float>(array)) refuse_type("probabilities", "float32 values", array);
    const Size found = {array.shape(1), array.shape(2), array.shape(3)};
    if (found != size) {
        throw std::invalid_argument("probabilities must have the shape (classes, z, y, x) with " +
                                    to_text(size) + " voxels, found " + text_of(array.attr("shape")) + ".");
    }
    require_contiguous(array, "probabilities");
    classes = array.shape(0);
    return static_cast<const float*>(array.data());
}

Channels image_argument(const py::handle& image) {
    const py::array array = array_argument(image, "image", 4);
    if (!holds<float>(array)) refuse_type("image", "float32 values", array);
    require_contiguous(array, "image");
    return {static_cast<const float*>(array.data()),
            array.shape(0),
            {array.shape(1), array.shape(2), array.shape(3)}};
}

Logits logits_argument(const py::handle& logits, const char* name) {
    py::array array = array_argument(logits, name, 4);
    if (!holds<float>(array)) refuse_type(name, "float32 values", array);
    if (!(array.flags() & py::array::c_style) || !array.writeable()) {
        throw std::invalid_argument(std::string(name) +
                                    " must be C-contiguous and writable; pass a copy of it.");
    }
    return {static_cast<float*>(array.mutable_data()),
            array.shape(0),
            {array.shape(1), array.shape(2), array.shape(3)}};
}

py::list to_list(const ValidSizes& valid_sizes) {
    py::list lists;
    for (const auto& sizes : valid_sizes) lists.append(py::cast(sizes));
    return lists;
}

py::list to_list(const Triple<Margin>& margins) {
    py::list pairs;
    for (const Margin& margin : margins) pairs.append(py::make_tuple(margin.before, margin.after));
    return pairs;
}

}  // namespace escn
