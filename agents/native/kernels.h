// All kernels for one instruction set: LANES floats make a vector.
#include "records.h"

namespace learner {
namespace {

#include "../../nram_env/machine/backends/native/lanes.h"
#include "product.h"
#include "controller.h"
#include "optimiser.h"

}  // namespace

extern const Kernels KERNELS = {forward, transpose, backward, gradient_floats, gradient, update, finite};

}  // namespace learner
