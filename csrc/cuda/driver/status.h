// What this build and this machine offer for CUDA. Never throws, with or without a driver.
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
    bool built = false;           // with the CUDA core
    std::string architectures;    // that nvcc built for
    int runtime = 0, driver = 0;  // 1000 * major + 10 * minor; 0: none
    std::vector<DeviceStatus> devices;
    std::string problem;  // why no GPU can be used here, as a sentence; empty if one can
};

Status status();

// The runtime's errors, where the search for GPUs ends in one.
inline constexpr int kDriverTooOld = 35;
inline constexpr int kNoGpu = 100;

// The status of a device for a build for `architectures`.
DeviceStatus device_status(std::string name, int major, int minor, std::size_t memory,
                           const std::string& architectures);

// Status::problem, of all else in `status` and of how the search for GPUs ended: `found`, a cudaError_t, and
// the runtime's words for it.
std::string problem_of(const Status& status, int found, const std::string& words);

// Whether code built for `architectures` ("75-real 90-real 90-virtual") runs on a GPU of this compute
// capability: machine code within its major version, PTX on everything newer, but what uses features of an
// architecture ("90a") or family ("100f") only there.
bool runs_on(const std::string& architectures, int major, int minor);

}  // namespace escn::cuda
