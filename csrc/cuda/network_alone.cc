// Runs one network of the pipeline alone, from host memory to host memory.
#include <algorithm>
#include <cstring>

#include "cuda/memory/arena_plan.h"
#include "cuda/network_tensors.h"
#include "cuda/pipeline.h"
#include "resample/half.h"

namespace escn::cuda {

const std::byte* Pipeline::run_alone(NetworkRunner& runner, const float* image, const Size& size,
                                     int64_t channels, const char* name) {
    const engine::Network& network = runner.network();
    const bool is_mask = network.output_type() == engine::DataType::kByte;
    std::vector<int64_t> expected = {1, channels, size[0], size[1], size[2]};
    if (is_mask) expected.erase(expected.begin() + 1);
    const engine::Requirements requirements = runner.prepare(size, device_.compute());
    check_output(requirements.output_shape, expected, name);

    std::size_t output_bytes = engine::bytes_of(network.output_type());
    for (int64_t extent : requirements.output_shape) output_bytes *= static_cast<std::size_t>(extent);
    const std::size_t input_bytes = voxels(size) * engine::bytes_of(network.input_type());
    const ArenaPlan plan = plan_arena({{"input", input_bytes, 0, 0},
                                       {"activation", requirements.activation_bytes, 0, 0},
                                       {"output", output_bytes, 0, 0}});
    arena_.reserve(plan.bytes);
    staging_.reserve(std::max(input_bytes, output_bytes));
    if (float_type(network.input_type(), "input") == FloatType::kFloat16) {
        auto* staged = reinterpret_cast<Half*>(staging_.base());
        for (std::size_t i = 0; i < voxels(size); ++i) store(staged + i, image[i]);
    } else {
        std::memcpy(staging_.base(), image, input_bytes);
    }
    const auto address = [&](std::size_t index) {
        return reinterpret_cast<engine::Handle>(arena_.base() + plan.offsets[index]);
    };
    const engine::RunMemory memory = {address(0), address(2), address(1), requirements.activation_bytes};
    Event done;
    try {
        Stream& stream = device_.compute();
        stream.copy_to_device(arena_.base() + plan.offsets[0], staging_.base(), input_bytes);
        runner.queue(memory, stream);
        stream.copy_to_host(staging_.base(), arena_.base() + plan.offsets[2], output_bytes);
        stream.record(done);
        done.synchronize();
    } catch (...) {
        device_.drain();
        throw;
    }
    return staging_.base();
}

void Pipeline::localize_alone(const float* image, const Size& size, uint8_t* mask) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const DeviceScope current(device_.index());
    std::memcpy(mask, run_alone(*localization_, image, size, 1, "localization"), voxels(size));
}

void Pipeline::segment_alone(const float* image, const Size& size, float* probabilities) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const DeviceScope current(device_.index());
    const std::byte* output = run_alone(*segmentation_, image, size, labels_, "segmentation");
    const std::size_t count = static_cast<std::size_t>(labels_) * voxels(size);
    if (float_type(segmentation_->network().output_type(), "output") == FloatType::kFloat16) {
        const auto* staged = reinterpret_cast<const Half*>(output);
        for (std::size_t i = 0; i < count; ++i) probabilities[i] = load(staged + i);
    } else {
        std::memcpy(probabilities, output, count * sizeof(float));
    }
}

}  // namespace escn::cuda
