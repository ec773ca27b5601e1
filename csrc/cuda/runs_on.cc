#include <sstream>
#include <string>

#include "cuda/status.h"

namespace escn::cuda {

bool runs_on(const std::string& architectures, int major, int minor) {
    std::istringstream list(architectures);
    for (std::string entry; list >> entry;) {
        const std::size_t dash = entry.find('-');
        const std::string form = dash == std::string::npos ? "" : entry.substr(dash + 1);
        const int built = std::stoi(entry.substr(0, dash));
        const bool machine_code = form != "virtual" && built / 10 == major && built % 10 <= minor;
        const bool ptx = form != "real" && built <= 10 * major + minor;
        if (machine_code || ptx) return true;
    }
    return false;
}

}  // namespace escn::cuda
