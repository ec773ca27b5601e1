#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <utility>

#include "bindings/arguments.h"
#include "bindings/register.h"
#include "cuda/pipeline.h"
#include "engine/tensorrt_network.h"

namespace py = pybind11;

namespace escn {
namespace {

using engine::TensorRTNetwork;

std::unique_ptr<cuda::Pipeline> make_pipeline(std::shared_ptr<TensorRTNetwork> localization,
                                              std::shared_ptr<TensorRTNetwork> segmentation,
                                              const LocalizationParameters& localization_parameters,
                                              const SegmentationParameters& segmentation_parameters,
                                              int64_t labels, int device, int threads, bool graphs) {
    const py::gil_scoped_release release;
    return std::make_unique<cuda::Pipeline>(device, std::move(localization), std::move(segmentation),
                                            localization_parameters, segmentation_parameters, labels, threads,
                                            graphs);
}

cuda::RunResult segment(cuda::Pipeline& pipeline, const py::object& scan, const py::object& spacing,
                        const py::object& labels, bool scan_on_device, bool labels_on_device,
                        std::optional<engine::Handle> stream, const py::object& begin,
                        const py::object& values) {
    const cuda::ScanSource source = {scan_argument(scan), scan_on_device};
    const cuda::LabelTarget target = {labels_argument(labels), labels_on_device};
    const Triple<double> millimetres = spacing_argument(spacing, "spacing");
    cuda::Observer observer;
    if (!begin.is_none()) {
        observer.begin = [&](cuda::Stage stage) {
            const py::gil_scoped_acquire gil;
            begin(stage);
        };
    }
    if (!values.is_none()) {
        observer.values = [&](const ValueSummary& summary) {
            const py::gil_scoped_acquire gil;
            values(summary);
        };
    }
    const py::gil_scoped_release release;
    return pipeline.segment(source, millimetres, target, stream ? &*stream : nullptr, observer);
}

py::tuple place_of(const cuda::Pipeline& pipeline, std::uintptr_t address) {
    const cuda::MemoryPlace place = pipeline.place_of(reinterpret_cast<const void*>(address));
    return py::make_tuple(place.device, place.foreign_context);
}

using Image = py::array_t<float, py::array::c_style>;

Size image_size(const Image& image) {
    if (image.ndim() != 3 || image.size() == 0) {
        throw std::invalid_argument("image must be float32 (z, y, x) and not empty.");
    }
    return {image.shape(0), image.shape(1), image.shape(2)};
}

py::array_t<bool> localize(cuda::Pipeline& pipeline, const Image& image) {
    const Size size = image_size(image);
    py::array_t<bool> mask({size[0], size[1], size[2]});
    auto* data = reinterpret_cast<uint8_t*>(mask.mutable_data());
    const py::gil_scoped_release release;
    pipeline.localize_alone(image.data(), size, data);
    return mask;
}

py::array_t<float> segment_input(cuda::Pipeline& pipeline, const Image& image) {
    const Size size = image_size(image);
    py::array_t<float> probabilities({pipeline.labels(), size[0], size[1], size[2]});
    float* data = probabilities.mutable_data();
    const py::gil_scoped_release release;
    pipeline.segment_alone(image.data(), size, data);
    return probabilities;
}

}  // namespace

void register_device_pipeline(py::module_& module) {
    py::enum_<cuda::Stage>(module, "Stage", "A stage of a run on a device.")
        .value("LOCALIZATION_INPUT", cuda::Stage::kLocalizationInput)
        .value("LOCALIZATION", cuda::Stage::kLocalization)
        .value("SEGMENTATION_INPUT", cuda::Stage::kSegmentationInput)
        .value("SEGMENTATION", cuda::Stage::kSegmentation)
        .value("LABELS", cuda::Stage::kLabels);

    py::class_<cuda::RunResult>(module, "DeviceRun", "The record of a run on a device.")
        .def_readonly("localization", &cuda::RunResult::localization)
        .def_readonly("segmentation", &cuda::RunResult::segmentation)
        .def_readonly("found", &cuda::RunResult::found)
        .def_readonly("counts", &cuda::RunResult::counts)
        .def_readonly("confidence", &cuda::RunResult::confidence)
        .def_readonly("seconds", &cuda::RunResult::seconds);

    py::class_<cuda::Pipeline>(module, "DevicePipeline",
                               "Both stages on a GPU, with one arena. `graphs`: whether to replay networks "
                               "from CUDA graphs at sizes where that is faster.")
        .def(py::init(&make_pipeline), py::arg("localization"), py::arg("segmentation"),
             py::arg("localization_parameters"), py::arg("segmentation_parameters"), py::arg("labels"),
             py::arg("device") = 0, py::arg("threads") = 0, py::kw_only(), py::arg("graphs") = false)
        .def(
            "segment", &segment, py::arg("scan"), py::arg("spacing"), py::arg("labels"), py::kw_only(),
            py::arg("scan_on_device") = false, py::arg("labels_on_device") = false,
            py::arg("stream") = py::none(), py::arg("begin") = py::none(), py::arg("values") = py::none(),
            "Write the labels of `scan` to `labels`. Both are views (z, y, x) along LPS axes; a view of "
            "device memory is a NumPy array with the address, shape and strides there. `stream`: the stream "
            "with the work that produces the scan, if any. `begin(stage)` is called before a stage's work is "
            "queued, `values(summary)` when the scan's values are known, as `value_summary` returns them. "
            "Either may raise an exception to end the run.")
        .def("place_of", &place_of, py::arg("address"),
             "The number of the GPU whose memory holds `address`, or -1 for host memory, and whether the "
             "address is on the pipeline's GPU but in a context that the pipeline cannot reach.")
        .def("localize_input", &localize, py::arg("image"), "The mask (z, y, x) of a float32 network input.")
        .def("segment_input", &segment_input, py::arg("image"),
             "The probabilities (label, z, y, x) of a float32 network input.")
        .def_property_readonly("replays", &cuda::Pipeline::replays,
                               "Whether the last run replayed its segmentation network from a CUDA graph.")
        .def("trim", &cuda::Pipeline::trim, py::arg("bytes") = 0, py::call_guard<py::gil_scoped_release>(),
             "Shrink the arena to at most `bytes`, and free the staging memory.")
        .def("reset_arena_peak", &cuda::Pipeline::reset_arena_peak)
        .def_property_readonly("arena_capacity", &cuda::Pipeline::arena_capacity)
        .def_property_readonly("arena_peak", &cuda::Pipeline::arena_peak);
}

}  // namespace escn
