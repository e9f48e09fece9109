// What kernel sources are written in: CUDA for a card, or fibers on a CPU (ON_CPU), where tests run the same source.
//
// KERNEL(name, Record, threads, blocks) { ... } is a kernel that takes one record by value, called f, runs in blocks
// of at most that many threads and wants that many blocks at once on a multiprocessor. SHARED(name) is the block's
// shared memory as float*, aligned to 16 bytes; kernels have no other. DEV begins a function that kernels call.
// clipped(x, limit) is x in -limit..limit, and not a number if x is none.
#pragma once
#define FULL 0xffffffffu
#ifdef ON_CPU
#include "cuda_on_cpu.h"
#else
#define DEV static __device__ __forceinline__
#define SHARED(name) extern __shared__ __align__(16) float name[]
#define KERNEL(name, Record, threads, blocks) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(const Record f)
DEV float fast_exp(float x) { return __expf(x); }
DEV float fast_log(float x) { return __logf(x); }
#endif
DEV float clipped(float x, float limit) {
#if __CUDA_ARCH__ >= 800
    float out;
    asm("{ .reg .f32 low; max.NaN.f32 low, %1, %2; min.NaN.f32 %0, low, %3; }" : "=f"(out) : "f"(x), "f"(-limit), "f"(limit));
    return out;
#else
    return x < -limit ? -limit : x > limit ? limit : x;
#endif
}
