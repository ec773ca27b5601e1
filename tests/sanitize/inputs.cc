#include "inputs.h"

#include <cstring>
#include <random>

namespace escn::sanitize {
namespace {

constexpr Triple<int> kOrders[] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}, {2, 0, 1}};

template <typename T>
Scan scan_of(cpu::VoxelType type, const Triple<int>& order) {
    const int64_t count = kScanSize[0] * kScanSize[1] * kScanSize[2];
    Scan scan{std::vector<std::byte>(count * sizeof(T)),
              {nullptr, type, kScanSize, strides(kScanSize, order)}};
    std::minstd_rand random(7);
    for (int64_t i = 0; i < count; ++i) {
        const auto value = static_cast<T>(random() % 256);
        std::memcpy(scan.memory.data() + i * sizeof(T), &value, sizeof(T));
    }
    scan.view.data = scan.memory.data();
    return scan;
}

network::Weights layer(int64_t outputs, int64_t inputs, int64_t taps) {
    network::Weights weights{outputs, inputs, values(outputs * inputs * taps), values(outputs)};
    for (float& value : weights.kernel) value *= 0.05f;
    return weights;
}

}  // namespace

LocalizationParameters localization_parameters() {
    const std::vector<int64_t> sizes = {16, 32, 48};
    return {6.0, 0.01, {sizes, sizes, sizes}, -1024.0, 4.0, 20.0, {1024.0, -1.0, 1.0}};
}

SegmentationParameters segmentation_parameters() {
    const std::vector<int64_t> sizes = {16, 32, 48};
    return {2.0, 2.0, 0.01, {sizes, sizes, sizes}, 1.5, -1024.0, {1024.0, -1.0, 1.0}};
}

SegmentationPlan segmentation_plan() {
    // Beyond the scan's edges, so that there is padding.
    const Box box = {{-6.0f, 20.0f, 10.0f}, {70.0f, 110.0f, 130.0f}};
    return plan_segmentation(kScanSize, kSpacing, box, segmentation_parameters());
}

std::vector<Scan> scans() {
    std::vector<Scan> all;
    all.push_back(scan_of<uint8_t>(cpu::VoxelType::kUint8, kOrders[0]));
    all.push_back(scan_of<int16_t>(cpu::VoxelType::kInt16, kOrders[1]));
    all.push_back(scan_of<uint16_t>(cpu::VoxelType::kUint16, kOrders[2]));
    all.push_back(scan_of<int32_t>(cpu::VoxelType::kInt32, kOrders[3]));
    all.push_back(scan_of<float>(cpu::VoxelType::kFloat, kOrders[4]));
    return all;
}

std::vector<float> values(int64_t count) {
    std::minstd_rand random(11);
    std::vector<float> all(count);
    for (float& value : all) value = static_cast<float>(random() % 8001) / 1000.0f - 4.0f;
    return all;
}

network::UNetWeights unet_weights(int levels, int64_t filters, int64_t inputs, int64_t outputs) {
    network::UNetWeights weights;
    for (int level = 0; level < levels; ++level) {
        const bool lowest = level + 1 == levels;
        weights.contracting.push_back(
            {layer(filters, level == 0 ? inputs : filters, 27), layer(filters, filters, 27)});
        weights.expanding.push_back(
            {layer(filters, lowest ? filters : 2 * filters, 27), layer(filters, filters, 27)});
    }
    weights.head = layer(outputs, filters, 1);
    weights.slope = 0.1f;
    return weights;
}

Triple<int64_t> strides(const Size& size, const Triple<int>& axes) {
    Triple<int64_t> result;
    result[axes[2]] = 1;
    result[axes[1]] = size[axes[2]];
    result[axes[0]] = size[axes[2]] * size[axes[1]];
    return result;
}

}  // namespace escn::sanitize
