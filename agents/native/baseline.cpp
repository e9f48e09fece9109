// For every processor: what the compiler takes for granted (SSE2 on x86-64, NEON on arm64).
#define LANES 4
#define KERNELS baseline_kernels
#include "kernels.h"
