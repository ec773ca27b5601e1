#include "bindings/register.h"

PYBIND11_MODULE(_core, module) {
    module.doc() =
        "Geometry, resampling and networks of both stages. Triples are (z, y, x) along LPS axes, lengths in "
        "mm, intensities in HU.";
    module.attr("__version__") = ESCN_VERSION;
    escn::register_box(module);
    escn::register_localization_parameters(module);
    escn::register_segmentation_parameters(module);
    escn::register_localization_plan(module);
    escn::register_segmentation_plan(module);
    escn::register_network_inputs(module);
    escn::register_mask_box(module);
    escn::register_label_confidence(module);
    escn::register_label_statistics(module);
    escn::register_labels(module);
    escn::register_unet(module);
    escn::register_combination(module);
    escn::register_value_summary(module);
    escn::register_build_info(module);
    escn::register_cuda_status(module);
    escn::register_memory_plans(module);
    escn::register_network(module);
#ifdef ESCN_WITH_CUDA
    escn::register_arena(module);
    escn::register_device_block(module);
    escn::register_device_pipeline(module);
#endif
}
