// The CUDA support of this build and this machine. Nothing here throws, with or without a driver.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace escn::cuda {

struct DeviceStatus {
    std::string name;
    int major = 0;  // compute capability
    int minor = 0;
    std::size_t memory = 0;  // bytes
    std::string problem;     // why this build cannot use it, as a sentence; empty if it can
};

struct Status {
    bool built = false;           // whether this build has the CUDA core
    std::string architectures;    // the ones that nvcc built for
    int runtime = 0, driver = 0;  // 1000 * major + 10 * minor; 0: none
    std::vector<DeviceStatus> devices;
    std::string problem;  // why no GPU can be used here, as a sentence; empty if one can
};

Status status();

// The runtime's errors that problem_of() explains, if the search for GPUs ends with one.
inline constexpr int kDriverTooOld = 35;
inline constexpr int kNoGpu = 100;

// The status of a device, for a build for `architectures`.
DeviceStatus device_status(std::string name, int major, int minor, std::size_t memory,
                           const std::string& architectures);

// Returns Status::problem. It depends on the other fields of `status`, and on how the search for GPUs ended:
// the cudaError_t `found`, and the runtime's text for it, `words`.
std::string problem_of(const Status& status, int found, const std::string& words);

// Whether code built for `architectures` ("75-real 90-real 90-virtual") runs on a GPU of this compute
// capability. Machine code runs on GPUs of the same major version that are not older, PTX on all GPUs that
// are not older. Code with features of an architecture ("90a") or a family ("100f") runs only there.
bool runs_on(const std::string& architectures, int major, int minor);

}  // namespace escn::cuda
