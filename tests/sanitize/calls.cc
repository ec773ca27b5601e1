// Exits with 0 if every entry point of the core gives the same result on any number of threads, while other
// threads call the core too, as on one thread alone. Otherwise it prints the names of those that do not.
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "cpu/label_confidence.h"
#include "cpu/label_statistics.h"
#include "cpu/mask_box.h"
#include "cpu/network_input.h"
#include "cpu/strided_copy.h"
#include "cpu/value_summary.h"
#include "cpu/write_labels.h"
#include "inputs.h"
#include "network/combination.h"

namespace escn::sanitize {
namespace {

constexpr int kCallers = 4;
constexpr int kThreads[] = {1, 2, 3, 5};

using Bytes = std::vector<std::byte>;

struct Call {
    std::string name;
    std::function<Bytes(int threads)> run;
};

template <typename T>
Bytes bytes_of(const std::vector<T>& result) {
    Bytes bytes(result.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), result.data(), bytes.size());
    return bytes;
}

int64_t voxels(const Size& size) { return size[0] * size[1] * size[2]; }

Bytes localization_input(const Scan& scan, int threads) {
    const LocalizationParameters parameters = localization_parameters();
    const LocalizationPlan plan = plan_localization(kScanSize, kSpacing, parameters);
    std::vector<float> input(voxels(plan.input_size));
    cpu::localization_input(scan.view, plan, parameters, threads, input.data());
    return bytes_of(input);
}

Bytes segmentation_input(const Scan& scan, int threads) {
    const SegmentationPlan plan = segmentation_plan();
    std::vector<float> input(voxels(plan.input_size));
    cpu::segmentation_input(scan.view, kSpacing, plan, segmentation_parameters(), threads, input.data());
    return bytes_of(input);
}

Bytes value_summary(const Scan& scan, int threads) {
    const ValueSummary summary = cpu::value_summary(scan.view, threads);
    Bytes bytes = bytes_of(std::vector<double>{summary.low, summary.high});
    for (const uint64_t count : summary.counts) {
        for (const std::byte byte : bytes_of(std::vector<uint64_t>{count})) bytes.push_back(byte);
    }
    return bytes;
}

Bytes label_statistics(const Scan& scan, int threads) {
    std::vector<double> numbers;
    const auto labels = cpu::view_as<uint8_t>(scan.view);
    for (const auto& each : cpu::label_statistics(labels, scan.view, 255, cpu::Division{1, 7.5}, threads)) {
        numbers.insert(numbers.end(), {each.mean, each.deviation, each.centre[2]});
        numbers.insert(numbers.end(), each.percentiles.begin(), each.percentiles.end());
        numbers.insert(numbers.end(), each.pieces.begin(), each.pieces.end());
    }
    return bytes_of(numbers);
}

Bytes mask_box(const Scan& scan, int) {
    const auto box = cpu::mask_box(cpu::view_as<uint8_t>(scan.view));
    if (!box) return {};
    return bytes_of(std::vector<Index>{box->first, box->last});
}

// Labels in an order of memory that is not the probabilities'.
Bytes write_labels(const std::vector<float>& probabilities, int64_t classes, int threads) {
    std::vector<uint8_t> labels(voxels(kScanSize), 255);
    cpu::write_labels(probabilities.data(), classes, segmentation_plan(),
                      {labels.data(), kScanSize, strides(kScanSize, {2, 1, 0})}, threads);
    return bytes_of(labels);
}

Bytes label_confidence(const std::vector<float>& probabilities, int64_t classes, int threads) {
    const SegmentationPlan plan = segmentation_plan();
    return bytes_of(cpu::label_confidence(probabilities.data(), classes, plan.input_size,
                                          voxels_in_image(plan), threads));
}

Bytes strided_copy(const Scan& scan, int threads) {
    cpu::ThreadPool pool(threads);
    std::vector<int16_t> copy(voxels(kScanSize));
    const Index stride = strides(kScanSize, {0, 1, 2});
    cpu::strided_copy({scan.view.data, scan.view.stride}, {copy.data(), stride}, kScanSize, sizeof(int16_t),
                      pool);
    cpu::strided_zero({copy.data(), stride}, {5, 9, 7}, pool);
    return bytes_of(copy);
}

constexpr Size kLogitsSize = {12, 8, 32};
constexpr int64_t kLabels = 3;

constexpr int64_t kStride = 4;

Bytes pool_inputs(const std::vector<float>& image, const std::vector<float>& logits,
                  network::Prediction prediction, int threads) {
    std::vector<float> pooled((1 + kLabels) * voxels(network::small_size(kLogitsSize, kStride)));
    network::pool_inputs(image.data(), logits.data(), kLabels, kLogitsSize, kStride, prediction,
                         pooled.data(), threads);
    return bytes_of(pooled);
}

// Into the first channel goes the background's probability.
Bytes combine(std::vector<float> logits, const std::vector<float>& spatial, int threads) {
    logits.insert(logits.begin(), voxels(kLogitsSize), 0.0f);
    network::combine(logits.data() + voxels(kLogitsSize), spatial.data(), kLabels, kLogitsSize, kStride,
                     logits.data(), threads);
    return bytes_of(logits);
}

constexpr Size kImageSize = {12, 20, 28};
constexpr int64_t kInputs = 3;

Bytes unet(network::UNet& network, const std::vector<float>& image, int threads) {
    std::vector<float> logits(network.outputs() * voxels(kImageSize));
    network.run(image.data(), kImageSize, logits.data(), threads);
    if (threads == 3) network.release();
    return bytes_of(logits);
}

std::vector<Call> all_calls() {
    std::vector<Call> calls;
    for (const Scan& made : scans()) {
        const auto scan = std::make_shared<Scan>(made);
        scan->view.data = scan->memory.data();
        const std::string type = std::to_string(static_cast<int>(scan->view.type));
        calls.push_back({"localization_input " + type, [=](int n) { return localization_input(*scan, n); }});
        calls.push_back({"segmentation_input " + type, [=](int n) { return segmentation_input(*scan, n); }});
        calls.push_back({"value_summary " + type, [=](int n) { return value_summary(*scan, n); }});
        if (scan->view.type == cpu::VoxelType::kUint8) {
            calls.push_back({"label_statistics", [=](int n) { return label_statistics(*scan, n); }});
            calls.push_back({"mask_box", [=](int n) { return mask_box(*scan, n); }});
        }
        if (scan->view.type == cpu::VoxelType::kInt16) {
            calls.push_back({"strided_copy", [=](int n) { return strided_copy(*scan, n); }});
        }
    }
    const int64_t classes = 5;
    const auto probabilities = values(classes * voxels(segmentation_plan().input_size));
    calls.push_back({"write_labels", [=](int n) { return write_labels(probabilities, classes, n); }});
    calls.push_back({"label_confidence", [=](int n) { return label_confidence(probabilities, classes, n); }});
    const auto logits = values(kLabels * voxels(kLogitsSize));
    const auto spatial = values(kLabels * voxels(network::small_size(kLogitsSize, kStride)));
    const auto pooled = values(voxels(kLogitsSize));
    for (const auto prediction : {network::Prediction::kSigmoid, network::Prediction::kSoftmax}) {
        const std::string name = prediction == network::Prediction::kSigmoid ? "sigmoids" : "softmax";
        calls.push_back(
            {"pool_inputs of " + name, [=](int n) { return pool_inputs(pooled, logits, prediction, n); }});
    }
    calls.push_back({"combine", [=](int n) { return combine(logits, spatial, n); }});
    const auto image = values(kInputs * voxels(kImageSize));
    const network::UNetWeights weights = unet_weights(3, 16, kInputs, 5);
    const auto shared = std::make_shared<network::UNet>(weights);
    calls.push_back({"a shared U-Net", [=](int n) { return unet(*shared, image, n); }});
    calls.push_back({"a U-Net of its own", [=](int n) {
                         network::UNet own(weights);
                         return unet(own, image, n);
                     }});
    return calls;
}

// Each caller begins with another call. Prints what differs; returns whether nothing does.
bool all_agree() {
    const std::vector<Call> calls = all_calls();
    std::vector<Bytes> expected;
    for (const Call& call : calls) expected.push_back(call.run(1));
    std::atomic<bool> agree{true};
    const auto caller = [&](std::size_t own) {
        for (const int threads : kThreads) {
            for (std::size_t i = 0; i < calls.size(); ++i) {
                const std::size_t which = (i + own * calls.size() / kCallers) % calls.size();
                if (calls[which].run(threads) == expected[which]) continue;
                std::printf("%s differs on %d threads\n", calls[which].name.c_str(), threads);
                agree = false;
            }
        }
    };
    std::vector<std::thread> callers;
    for (int own = 0; own < kCallers; ++own) callers.emplace_back(caller, own);
    for (std::thread& thread : callers) thread.join();
    return agree;
}

}  // namespace
}  // namespace escn::sanitize

int main() { return escn::sanitize::all_agree() ? 0 : 1; }
