// A network that runs on device memory given to it, whoever executes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "geometry/triple.h"

namespace escn::engine {

// A cudaStream_t or device address as a number, as TensorRT's Python API has them; no CUDA header needed
// here.
using Handle = std::uintptr_t;

// Of a tensor's elements; a byte is 0 or 1, of a mask.
enum class DataType { kFloat32, kFloat16, kByte };

std::size_t bytes_of(DataType type);

// What a run at one input size needs.
struct Requirements {
    std::vector<int64_t> output_shape;
    std::size_t activation_bytes;  // scratch, free again after the run
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
    // Sets the input's size for the runs to come. Work that a change of profile needs is queued on `stream`.
    virtual Requirements prepare(const Size& size, Handle stream) = 0;
    // Queues one run on `stream`.
    virtual void enqueue(const RunMemory& memory, Handle stream) = 0;
};

}  // namespace escn::engine
