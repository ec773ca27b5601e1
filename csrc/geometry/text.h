// Values as text for error messages.
#pragma once

#include <sstream>
#include <string>

#include "geometry/triple.h"

namespace escn {

template <typename T>
std::string to_text(const Triple<T>& triple) {
    std::ostringstream text;
    text << "(" << triple[0] << ", " << triple[1] << ", " << triple[2] << ")";
    return text.str();
}

}  // namespace escn
