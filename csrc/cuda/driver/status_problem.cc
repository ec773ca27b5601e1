#include <algorithm>
#include <sstream>
#include <utility>

#include "cuda/driver/status.h"

namespace escn::cuda {
namespace {

std::string version(int number) {
    std::ostringstream text;
    text << number / 1000 << "." << number % 1000 / 10;
    return text.str();
}

}  // namespace

DeviceStatus device_status(std::string name, int major, int minor, std::size_t memory,
                           const std::string& architectures) {
    std::ostringstream problem;
    if (!runs_on(architectures, major, minor)) {
        problem << "The " << name << " has compute capability " << major << "." << minor
                << ", but this build is for " << architectures
                << "; install it from source with CMAKE_CUDA_ARCHITECTURES=native.";
    }
    return {std::move(name), major, minor, memory, problem.str()};
}

std::string problem_of(const Status& status, int found, const std::string& words) {
    if (status.driver == 0) return "There is no NVIDIA driver on this machine; install one for a GPU.";
    if (found == kDriverTooOld) {
        return "The NVIDIA driver is for CUDA " + version(status.driver) + ", but this build needs CUDA " +
               version(status.runtime) + "; update the driver.";
    }
    if (found == kNoGpu || (found == 0 && status.devices.empty())) {
        return "The NVIDIA driver finds no GPU (is CUDA_VISIBLE_DEVICES set?).";
    }
    if (found != 0) return "CUDA does not start: " + words + ".";
    const bool any = std::any_of(status.devices.begin(), status.devices.end(),
                                 [](const DeviceStatus& device) { return device.problem.empty(); });
    return any ? "" : status.devices.front().problem;
}

}  // namespace escn::cuda
