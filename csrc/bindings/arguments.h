// Python objects as the core's values, refused with one clear sentence (ValueError).
#pragma once

#include <pybind11/pybind11.h>

#include "geometry/triple.h"

namespace escn {

Size size_argument(const pybind11::handle& object, const char* name);
Triple<double> spacing_argument(const pybind11::handle& object, const char* name);
ValidSizes valid_sizes_argument(const pybind11::handle& object);

template <typename T>
pybind11::tuple to_tuple(const Triple<T>& triple) {
    return pybind11::make_tuple(triple[0], triple[1], triple[2]);
}

pybind11::list to_list(const ValidSizes& valid_sizes);

// [(before, after), ...], as the reference writes croppings and paddings.
pybind11::list to_list(const Triple<Margin>& margins);

}  // namespace escn
