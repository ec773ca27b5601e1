#include "geometry/parameters.h"

#include <cmath>
#include <sstream>
#include <stdexcept>

namespace escn {
namespace {

[[noreturn]] void refuse(const char* name, double value, const char* expected) {
    std::ostringstream text;
    text << name << " must be " << expected << ", found " << value << ".";
    throw std::invalid_argument(text.str());
}

void check_positive(const char* name, double value) {
    if (!(std::isfinite(value) && value > 0)) refuse(name, value, "a positive number");
}

void check_not_negative(const char* name, double value) {
    if (!(std::isfinite(value) && value >= 0)) refuse(name, value, "zero or a positive number");
}

void check_finite(const char* name, double value) {
    if (!std::isfinite(value)) refuse(name, value, "a finite number");
}

void check_valid_sizes(const ValidSizes& valid_sizes) {
    for (const auto& sizes : valid_sizes) {
        int64_t previous = 0;
        for (int64_t size : sizes) {
            if (size <= previous) {
                throw std::invalid_argument(
                    "valid_sizes must hold three ascending lists of positive sizes (z, y, x), found " +
                    std::to_string(size) + " after " + std::to_string(previous) + ".");
            }
            previous = size;
        }
        if (sizes.empty()) throw std::invalid_argument("valid_sizes must name at least one size per axis.");
    }
}

void check_intensity(const Intensity& intensity) {
    check_positive("intensity_scale", intensity.scale);
    check_finite("intensity_min", intensity.min);
    check_finite("intensity_max", intensity.max);
    if (intensity.min >= intensity.max) {
        refuse("intensity_min", intensity.min, "smaller than intensity_max");
    }
}

}  // namespace

void check(const LocalizationParameters& parameters) {
    check_positive("spacing_mm", parameters.spacing_mm);
    check_not_negative("spacing_slack", parameters.spacing_slack);
    check_valid_sizes(parameters.valid_sizes);
    check_finite("padding_hu", parameters.padding_hu);
    check_not_negative("smoothing_sigma_mm", parameters.smoothing_sigma_mm);
    check_not_negative("box_margin_mm", parameters.box_margin_mm);
    check_intensity(parameters.intensity);
}

void check(const SegmentationParameters& parameters) {
    check_positive("spacing_mm", parameters.spacing_mm);
    check_positive("spacing_threshold", parameters.spacing_threshold);
    check_not_negative("spacing_slack", parameters.spacing_slack);
    check_valid_sizes(parameters.valid_sizes);
    check_not_negative("smoothing_sigma_mm", parameters.smoothing_sigma_mm);
    check_finite("outside_hu", parameters.outside_hu);
    check_intensity(parameters.intensity);
}

}  // namespace escn
