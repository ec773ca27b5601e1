// Drives an execution context of the installed TensorRT Python package.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/network.h"

namespace escn::engine {

// Calls that differ between TensorRT's versions go through `api`, an ExecutionApi of
// efficientscn_trt.engines.running. The calls made here are the same from 8.5 to 11 and in TensorRT-RTX.
// Acquires the GIL where needed.
class TensorRTNetwork final : public Network {
  public:
    // `context` must have been created without device memory of its own. The caller holds the GIL.
    TensorRTNetwork(pybind11::object api, pybind11::object engine, pybind11::object context,
                    std::string input, std::string output);
    ~TensorRTNetwork() override;

    DataType input_type() const override { return input_type_; }
    DataType output_type() const override { return output_type_; }
    Requirements prepare(const Size& size, Handle stream) override;
    void enqueue(const RunMemory& memory, Handle stream) override;

  private:
    struct Profile {
        std::vector<int64_t> min;
        std::vector<int64_t> max;
    };

    int profile_for(const std::vector<int64_t>& shape) const;
    void require(bool succeeded, const char* call) const;

    pybind11::object api_, engine_, context_;
    std::string input_, output_;
    DataType input_type_, output_type_;
    std::vector<Profile> profiles_;
    std::optional<int> profile_;
    std::vector<int64_t> shape_;  // of the input; empty: not set
    Requirements requirements_{};
    std::optional<RunMemory> memory_;  // what the context received since the shape was set
};

}  // namespace escn::engine
