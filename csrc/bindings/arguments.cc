#include "bindings/arguments.h"

#include <pybind11/stl.h>

#include <stdexcept>
#include <string>

namespace py = pybind11;

namespace escn {
namespace {

template <typename T>
Triple<T> triple_argument(const py::handle& object, const char* name, const char* kind) {
    try {
        return py::cast<Triple<T>>(object);
    } catch (const py::cast_error&) {
        throw std::invalid_argument(std::string(name) + " must be three " + kind + " (z, y, x), found " +
                                    py::cast<std::string>(py::repr(object)) + ".");
    }
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
