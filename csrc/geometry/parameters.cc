#include "geometry/parameters.h"

#include <sstream>
#include <stdexcept>
#include <string>

namespace escn {
namespace {

// Far beyond any useful value, so that a stage's memory and time stay within reason.
constexpr double kLeastMm = 0.001;
constexpr double kMostMm = 1000;
constexpr double kMostMargin = 10000;
constexpr double kMostSigma = 100;
constexpr double kMostSlack = 10;
constexpr double kMostIntensity = 1e6;
constexpr double kLeastScale = 0.001;
constexpr int64_t kLargestSize = 4096;
constexpr int64_t kMostVoxels = int64_t{1} << 30;

void check_range(const char* name, double value, double least, double most) {
    if (value >= least && value <= most) return;
    std::ostringstream text;
    text << name << " must be a number from " << least << " to " << most << ", found " << value << ".";
    throw std::invalid_argument(text.str());
}

void check_valid_sizes(const ValidSizes& valid_sizes) {
    int64_t most = 1;
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
        if (previous > kLargestSize) {
            throw std::invalid_argument("valid_sizes must be at most " + std::to_string(kLargestSize) +
                                        ", found " + std::to_string(previous) + ".");
        }
        most *= previous;
    }
    if (most > kMostVoxels) {
        throw std::invalid_argument("The largest of valid_sizes must have at most 2^30 voxels, found " +
                                    std::to_string(most) + ".");
    }
}

void check_intensity(const Intensity& intensity) {
    check_range("intensity_scale", intensity.scale, kLeastScale, kMostIntensity);
    check_range("intensity_min", intensity.min, -kMostIntensity, kMostIntensity);
    check_range("intensity_max", intensity.max, -kMostIntensity, kMostIntensity);
    if (intensity.min >= intensity.max) {
        std::ostringstream text;
        text << "intensity_min must be smaller than intensity_max, found " << intensity.min << " and "
             << intensity.max << ".";
        throw std::invalid_argument(text.str());
    }
}

}  // namespace

void check(const LocalizationParameters& parameters) {
    check_range("spacing_mm", parameters.spacing_mm, kLeastMm, kMostMm);
    check_range("spacing_slack", parameters.spacing_slack, 0, kMostSlack);
    check_valid_sizes(parameters.valid_sizes);
    check_range("padding_hu", parameters.padding_hu, -kMostIntensity, kMostIntensity);
    check_range("smoothing_sigma_mm", parameters.smoothing_sigma_mm, 0, kMostSigma);
    check_range("box_margin_mm", parameters.box_margin_mm, 0, kMostMargin);
    check_intensity(parameters.intensity);
}

void check(const SegmentationParameters& parameters) {
    check_range("spacing_mm", parameters.spacing_mm, kLeastMm, kMostMm);
    check_range("spacing_threshold", parameters.spacing_threshold, kLeastMm, kMostMm);
    check_range("spacing_slack", parameters.spacing_slack, 0, kMostSlack);
    check_valid_sizes(parameters.valid_sizes);
    check_range("smoothing_sigma_mm", parameters.smoothing_sigma_mm, 0, kMostSigma);
    check_range("outside_hu", parameters.outside_hu, -kMostIntensity, kMostIntensity);
    check_intensity(parameters.intensity);
}

}  // namespace escn
