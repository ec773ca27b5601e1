// The interface of a network that runs on the caller's device memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "geometry/triple.h"

namespace escn::engine {

// A cudaStream_t or device address as an integer, as in TensorRT's Python API. Needs no CUDA header.
using Handle = std::uintptr_t;

// The type of a tensor's elements. A byte is 0 or 1, in a mask.
enum class DataType { kFloat32, kFloat16, kByte };

std::size_t bytes_of(DataType type);

// What an inference at one input size needs.
struct Requirements {
    std::vector<int64_t> output_shape;
    std::size_t activation_bytes;  // scratch memory, unused after the inference
};

struct RunMemory {
    Handle input;
    Handle output;
    Handle activation;
    std::size_t activation_bytes;
};

inline bool operator==(const RunMemory& a, const RunMemory& b) {
    return a.input == b.input && a.output == b.output && a.activation == b.activation &&
           a.activation_bytes == b.activation_bytes;
}

class Network {
  public:
    virtual ~Network() = default;
    virtual DataType input_type() const = 0;
    virtual DataType output_type() const = 0;
    // Sets the input's size for later inferences. Queues the work of a profile change on `stream`.
    virtual Requirements prepare(const Size& size, Handle stream) = 0;
    // Queues one inference on `stream`.
    virtual void enqueue(const RunMemory& memory, Handle stream) = 0;
};

}  // namespace escn::engine
