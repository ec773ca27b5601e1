#include <charconv>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>

#include "cuda/driver/status.h"

namespace escn::cuda {

bool runs_on(const std::string& architectures, int major, int minor) {
    const int64_t capability = 10 * int64_t{major} + minor;
    std::istringstream list(architectures);
    for (std::string entry; list >> entry;) {
        int built = 0;
        const char* end = entry.data() + entry.size();
        const auto [rest, failure] = std::from_chars(entry.data(), end, built);
        if (failure != std::errc{}) continue;  // the name of a set, whose members are unknown here
        const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
        const bool within_major = built / 10 == major && built <= capability;
        bool runs;
        if (suffix.substr(0, 1) == "a") {  // uses features of one architecture, such as 90a
            runs = built == capability;
        } else if (suffix.substr(0, 1) == "f") {  // uses features of a family, such as 100f
            runs = within_major;
        } else {
            runs = (suffix != "-virtual" && within_major) || (suffix != "-real" && built <= capability);
        }
        if (runs) return true;
    }
    return false;
}

}  // namespace escn::cuda
