#include <string>

#include "bindings/register.h"
#include "cpu/instruction_set.h"
#include "cpu/rows.h"
#include "cpu/thread_pool.h"

namespace py = pybind11;

namespace escn {
namespace {

py::dict build_info() {
    py::dict info;
    info["version"] = ESCN_VERSION;
    info["compiler"] = ESCN_COMPILER;
    info["threads"] = cpu::thread_count(0);
    info["simd_compiled"] = cpu::compiled_instruction_sets();
    info["simd_used"] = cpu::row_functions().instruction_set;
    // `cuda`: the toolkit and the architectures, or None; `cuda_reason`: why it is None.
    const std::string cuda = ESCN_CUDA_BUILD;
    info["cuda"] = cuda.empty() ? py::object(py::none()) : py::str(cuda);
    info["cuda_reason"] = ESCN_CUDA_REASON;
    return info;
}

}  // namespace

void register_build_info(py::module_& module) {
    module.def(
        "build_info", &build_info,
        "How the core was built, and the threads and the instruction set that it uses on this machine.");
}

}  // namespace escn
