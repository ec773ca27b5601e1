// The status of a build without nvcc.
#include "cuda/driver/status.h"

namespace escn::cuda {

Status status() {
    Status status;
    status.problem = "This build of efficientscn-trt has no CUDA core (" ESCN_CUDA_REASON
                     "); install the CUDA toolkit 12 or newer, and then the package again from source.";
    return status;
}

}  // namespace escn::cuda
