#include "cuda/network_tensors.h"

#include <stdexcept>
#include <string>

namespace escn::cuda {

FloatType float_type(engine::DataType type, const char* tensor) {
    switch (type) {
        case engine::DataType::kFloat32:
            return FloatType::kFloat32;
        case engine::DataType::kFloat16:
            return FloatType::kFloat16;
        case engine::DataType::kByte:
            break;
    }
    throw std::invalid_argument(std::string("The engine's ") + tensor +
                                " must be float32 or float16; build the engine again from this bundle.");
}

void check_output(const std::vector<int64_t>& found, const std::vector<int64_t>& expected,
                  const char* network) {
    const bool channels_may_exceed = found.size() == 5 && expected.size() == 5 && found[1] > expected[1];
    std::vector<int64_t> compared = found;
    if (channels_may_exceed) compared[1] = expected[1];
    if (compared == expected) return;
    std::string shapes[2];
    for (int64_t extent : found) shapes[0] += " " + std::to_string(extent);
    for (int64_t extent : expected) shapes[1] += " " + std::to_string(extent);
    throw std::invalid_argument(std::string("The ") + network + " engine's output has the shape" + shapes[0] +
                                ", expected" + shapes[1] + "; build the engine again from this bundle.");
}

}  // namespace escn::cuda
