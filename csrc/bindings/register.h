// One function per bound type or group of functions, each in its own file.
#pragma once

#include <pybind11/pybind11.h>

namespace escn {

void register_arena(pybind11::module_& module);
void register_box(pybind11::module_& module);
void register_build_info(pybind11::module_& module);
void register_combination(pybind11::module_& module);
void register_cuda_status(pybind11::module_& module);
void register_device_block(pybind11::module_& module);
void register_device_pipeline(pybind11::module_& module);
void register_label_confidence(pybind11::module_& module);
void register_label_statistics(pybind11::module_& module);
void register_labels(pybind11::module_& module);
void register_localization_parameters(pybind11::module_& module);
void register_localization_plan(pybind11::module_& module);
void register_mask_box(pybind11::module_& module);
void register_memory_plans(pybind11::module_& module);
void register_network(pybind11::module_& module);
void register_network_inputs(pybind11::module_& module);
void register_segmentation_parameters(pybind11::module_& module);
void register_segmentation_plan(pybind11::module_& module);
void register_unet(pybind11::module_& module);
void register_value_summary(pybind11::module_& module);

}  // namespace escn
