// Converts Python arguments to the core's types. Refuses a wrong argument with one sentence (ValueError).
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "cpu/view.h"
#include "geometry/triple.h"

namespace escn {

Size size_argument(const pybind11::handle& object, const char* name);
Triple<double> spacing_argument(const pybind11::handle& object, const char* name);
ValidSizes valid_sizes_argument(const pybind11::handle& object);

// Views of NumPy arrays. The array must outlive its view. Nothing is copied: an array that cannot be used in
// place is refused.
cpu::ScanView scan_argument(const pybind11::handle& volume);
cpu::View<const uint8_t> mask_argument(const pybind11::handle& mask, const char* name);
cpu::View<uint8_t> labels_argument(const pybind11::handle& labels);

// float32, C-contiguous, (class, z, y, x).
const float* probabilities_argument(const pybind11::handle& probabilities, const Size& size,
                                    int64_t& classes);

// float32, C-contiguous, (channel, z, y, x).
struct Channels {
    const float* values;
    int64_t count;
    Size size;
};
Channels image_argument(const pybind11::handle& image);

// float32, C-contiguous, writable, (output, z, y, x).
struct Logits {
    float* values;
    int64_t outputs;
    Size size;
};
Logits logits_argument(const pybind11::handle& logits, const char* name);

template <typename T>
pybind11::tuple to_tuple(const Triple<T>& triple) {
    return pybind11::make_tuple(triple[0], triple[1], triple[2]);
}

pybind11::list to_list(const ValidSizes& valid_sizes);

// [(before, after), ...], as the reference writes croppings and paddings.
pybind11::list to_list(const Triple<Margin>& margins);

}  // namespace escn
