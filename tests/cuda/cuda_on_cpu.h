// CUDA for a C++ compiler: what kernel sources use of it, on the fibers of fibers.h.
#pragma once
#include <math.h>
#include "fibers.h"
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__
#define __constant__ static const
#define __align__(n) alignas(n)
#define DEV static inline __attribute__((unused))
#define SHARED(name) float* const name = (float*)emulation::shared
#define KERNEL(name, Record, most_threads, most_blocks)                                                            \
    static void name(const Record f);                                                                              \
    extern "C" __attribute__((visibility("default"))) const char* emulate_##name(                                  \
        const Record* record, int blocks, int threads, int shared_bytes, unsigned seed) {                          \
        gridDim.x = blocks, blockDim.x = threads;                                                                  \
        static_assert((most_blocks) > 0, "");                                                                      \
        return emulation::launch([](const void* f) { name(*(const Record*)f); }, record, blocks, threads,          \
                                 most_threads, shared_bytes, seed);                                                \
    }                                                                                                              \
    static void name(const Record f)
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
DEV float2 make_float2(float x, float y) { return {x, y}; }
DEV float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
DEV int2 make_int2(int x, int y) { return {x, y}; }
DEV int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
DEV uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
DEV uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
struct Index { unsigned x = 0, y = 0, z = 0; };
static Index threadIdx, blockIdx, blockDim{1, 1, 1}, gridDim{1, 1, 1};
constexpr int warpSize = emulation::WARP;
inline void emulation::resumed() { threadIdx.x = block.running, blockIdx.x = block_index; }

DEV void __syncthreads() { emulation::wait(emulation::BARRIER, 0, 0, 0); }
DEV int __syncthreads_count(int p) { return (int)emulation::wait(emulation::COUNT, 0, p != 0, 0); }
DEV int __syncthreads_or(int p) { return __syncthreads_count(p) > 0; }
DEV int __syncthreads_and(int p) { return __syncthreads_count(!p) == 0; }
DEV void __syncwarp(unsigned mask = 0xffffffffu) { emulation::wait(emulation::SYNCWARP, mask, 0, 0); }
DEV unsigned __ballot_sync(unsigned mask, int p) { return (unsigned)emulation::wait(emulation::VOTE, mask, p != 0, 0); }
DEV int __any_sync(unsigned mask, int p) { return __ballot_sync(mask, p) != 0; }
DEV int __all_sync(unsigned mask, int p) { return __ballot_sync(mask, !p) == 0; }
DEV unsigned __activemask() { return emulation::block.lanes[emulation::block.running / warpSize]; }
template <class T> DEV T shuffle(unsigned mask, T value, int source) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "a shuffle moves 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = emulation::wait(emulation::SHUFFLE, mask, bits, source);
    memcpy(&value, &bits, sizeof value);
    return value;
}
struct Segment { int lane, first, last; };  // neighbouring lanes that shuffle among themselves
DEV Segment segment(int width) {
    if (width < 1 || width > warpSize || width & (width - 1)) emulation::fail("shuffles by a width of %d", width);
    const int lane = emulation::block.running % warpSize, first = lane / width * width;
    return {lane, first, first + width - 1};
}
template <class T> DEV T __shfl_sync(unsigned mask, T value, int source, int width = warpSize) {
    return shuffle(mask, value, segment(width).first + (source & (width - 1)));
}
template <class T> DEV T __shfl_xor_sync(unsigned mask, T value, int other, int width = warpSize) {
    const Segment s = segment(width);
    const int source = s.lane ^ other;
    return shuffle(mask, value, source > s.last ? s.lane : source);
}
template <class T> DEV T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = warpSize) {
    const Segment s = segment(width);
    return shuffle(mask, value, s.lane - (int)distance < s.first ? s.lane : s.lane - (int)distance);
}
template <class T> DEV T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = warpSize) {
    const Segment s = segment(width);
    return shuffle(mask, value, s.lane + (int)distance > s.last ? s.lane : s.lane + (int)distance);
}
template <class T> DEV T exchanged(T* at, T value) { const T old = *at; *at = value; return old; }
#define ATOMICS(T)                                                                   \
    DEV T atomicAdd(T* at, T by) { return exchanged(at, (T)(*at + by)); }            \
    DEV T atomicOr(T* at, T by) { return exchanged(at, (T)(*at | by)); }             \
    DEV T atomicAnd(T* at, T by) { return exchanged(at, (T)(*at & by)); }            \
    DEV T atomicMax(T* at, T by) { return exchanged(at, *at > by ? *at : by); }      \
    DEV T atomicMin(T* at, T by) { return exchanged(at, *at < by ? *at : by); }      \
    DEV T atomicExch(T* at, T by) { return exchanged(at, by); }                      \
    DEV T atomicCAS(T* at, T old, T by) { return exchanged(at, *at == old ? by : *at); }
ATOMICS(int)
ATOMICS(unsigned)
ATOMICS(unsigned long long)  // none on floats: the order of their sums would differ from run to run
#define EXTREMES(T)                                          \
    DEV T min(T a, T b) { return b < a ? b : a; }            \
    DEV T max(T a, T b) { return a < b ? b : a; }
EXTREMES(int)
EXTREMES(unsigned)
EXTREMES(long long)
EXTREMES(unsigned long long)
DEV float min(float a, float b) { return fminf(a, b); }
DEV float max(float a, float b) { return fmaxf(a, b); }
DEV double min(double a, double b) { return fmin(a, b); }
DEV double max(double a, double b) { return fmax(a, b); }

template <class T> DEV T __ldg(const T* at) { return *at; }
template <class T> DEV T __ldcs(const T* at) { return *at; }
template <class T> DEV T __ldcg(const T* at) { return *at; }
template <class T> DEV void __stcs(T* at, T value) { *at = value; }
template <class T> DEV void __stcg(T* at, T value) { *at = value; }
DEV void __threadfence() {}
DEV float fast_exp(float x) { return expf(x); }
DEV float fast_log(float x) { return logf(x); }
// macros where the C library has its own of the name
#define __expf expf
#define __logf logf
#define __log2f log2f
#define __powf powf
#define __sinf sinf
#define __cosf cosf
#define __sincosf sincosf
#define sinpif sine_of_half_turns
#define cospif cosine_of_half_turns
DEV float __fdividef(float a, float b) { return a / b; }
DEV float __frcp_rn(float x) { return 1.0f / x; }
DEV float __fsqrt_rn(float x) { return sqrtf(x); }
DEV float __fadd_rn(float a, float b) { return a + b; }
DEV float __fmul_rn(float a, float b) { return a * b; }
DEV float __fdiv_rn(float a, float b) { return a / b; }
DEV float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
DEV float rsqrtf(float x) { return 1.0f / sqrtf(x); }
DEV float __saturatef(float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }
DEV float sinpif(float x) { return (float)sin(M_PI * (double)x); }
DEV float cospif(float x) { return (float)cos(M_PI * (double)x); }
DEV void sincospif(float x, float* sine, float* cosine) { *sine = sinpif(x), *cosine = cospif(x); }
template <class To, class From> DEV To same_bits(From value) { To out; memcpy(&out, &value, sizeof out); return out; }
DEV float __int_as_float(int x) { return same_bits<float>(x); }
DEV int __float_as_int(float x) { return same_bits<int>(x); }
DEV float __uint_as_float(unsigned x) { return same_bits<float>(x); }
DEV unsigned __float_as_uint(float x) { return same_bits<unsigned>(x); }
DEV int __popc(unsigned x) { return __builtin_popcount(x); }
DEV int __ffs(int x) { return __builtin_ffs(x); }
DEV int __clz(int x) { return x ? __builtin_clz(x) : 32; }
DEV unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((uint64_t)a * b) >> 32); }
DEV unsigned __funnelshift_l(unsigned low, unsigned high, unsigned by) {
    return by & 31 ? high << (by & 31) | low >> (32 - (by & 31)) : high;
}

// The compiler's checks (-fsanitize=alignment,bounds) call these.
struct Place { const char* file; unsigned line, column; };
#define CHECK extern "C" __attribute__((visibility("hidden"), used)) void
CHECK __ubsan_handle_type_mismatch_v1(const Place* at, const void* address) {
    emulation::fail("%s:%u: a misaligned access at %p", at->file, at->line, address);
}
CHECK __ubsan_handle_out_of_bounds(const Place* at, uintptr_t index) {
    emulation::fail("%s:%u: index %lld is not in its array", at->file, at->line, (long long)index);
}
