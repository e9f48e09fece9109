// Small kernels, most of them wrong in one way each, for the tests of the emulation and of the compiler.
#include "platform.cuh"
#ifndef SIZE
#define SIZE 64
#endif
struct Job {
    const float* in;
    float* out;
    int* numbers;
    int at;
};
KERNEL(reverse, Job, SIZE, 1) {
    SHARED(block);
    const int i = threadIdx.x, n = blockDim.x;
    block[i] = f.in[blockIdx.x * n + i];
    __syncthreads();
    f.out[blockIdx.x * n + i] = block[n - 1 - i];
}
KERNEL(reverse_without_barrier, Job, SIZE, 1) {
    SHARED(block);
    const int i = threadIdx.x, n = blockDim.x;
    block[i] = f.in[i];
    f.out[i] = block[n - 1 - i];
}
KERNEL(reverse_by_warp, Job, SIZE, 1) {  // right for one warp alone
    SHARED(block);
    const int i = threadIdx.x, n = blockDim.x;
    block[i] = f.in[i];
    __syncwarp();
    f.out[i] = block[n - 1 - i];
}
KERNEL(last_to_write, Job, SIZE, 1) { f.out[0] = (float)threadIdx.x; }
KERNEL(last_block_to_write, Job, SIZE, 1) { f.out[0] = (float)blockIdx.x; }
KERNEL(load_pair, Job, SIZE, 1) {
    const float2 pair = *(const float2*)(f.in + f.at);
    f.out[0] = pair.x + pair.y;
}
KERNEL(load_four, Job, SIZE, 1) {
    const float4 four = *(const float4*)(f.in + f.at);
    f.out[0] = four.x + four.y + four.z + four.w;
}
KERNEL(store_four, Job, SIZE, 1) { *(float4*)(f.out + f.at) = float4{1, 2, 3, 4}; }
KERNEL(write_shared, Job, SIZE, 1) {
    SHARED(block);
    block[f.at] = 1;
}
KERNEL(read_shared, Job, SIZE, 1) {
    SHARED(block);
    f.out[0] = block[f.at];
}
KERNEL(index_own_array, Job, SIZE, 1) {
    float own[4] = {1, 2, 3, 4};
    own[f.at + threadIdx.x] += f.in[0];
    f.out[0] = own[0] + own[1] + own[2] + own[3];
}
KERNEL(some_skip_the_barrier, Job, SIZE, 1) {
    if ((int)threadIdx.x < f.at) __syncthreads();
    __shfl_sync(FULL, 1.0f, 0);
    __syncthreads();
}
KERNEL(some_return_before_the_barrier, Job, SIZE, 1) {
    SHARED(block);
    if ((int)threadIdx.x >= f.at) return;
    block[threadIdx.x] = f.in[threadIdx.x];
    __syncthreads();
    f.out[threadIdx.x] = block[f.at - 1 - threadIdx.x];
}
KERNEL(half_a_warp_shuffles, Job, SIZE, 1) {
    if (threadIdx.x % 32 < 16) f.out[threadIdx.x] = __shfl_xor_sync(FULL, f.in[threadIdx.x], 1, 16);
}
KERNEL(half_a_warp_shuffles_for_all, Job, SIZE, 1) {
    if (threadIdx.x % 32 < 16) f.out[threadIdx.x] = __shfl_xor_sync(FULL, f.in[threadIdx.x], 1, 16);
    __syncwarp();
}
KERNEL(shuffles_for_others, Job, SIZE, 1) { f.out[threadIdx.x] = __shfl_xor_sync(0xffffu, f.in[threadIdx.x], 1, 16); }
KERNEL(half_a_warp_shuffles_alone, Job, SIZE, 1) {
    if (threadIdx.x % 32 < 16) f.out[threadIdx.x] = __shfl_xor_sync(0xffffu, f.in[threadIdx.x], 1, 16);
}
KERNEL(warps_go_their_own_way, Job, SIZE, 1) {  // as many shuffles as the warp's number, then all meet
    float x = f.in[threadIdx.x];
    for (unsigned turn = 0; turn < threadIdx.x / 32; ++turn) x += __shfl_down_sync(FULL, x, 1);
    f.out[threadIdx.x] = __syncthreads_or(x > 100) ? x : -x;
}
KERNEL(shuffles, Job, SIZE, 1) {  // out (6, threads): what each way to shuffle gives, by a width of `at`
    const int i = threadIdx.x, n = blockDim.x;
    const float x = f.in[i];
    f.out[i] = __shfl_xor_sync(FULL, x, 3, f.at);
    f.out[n + i] = __shfl_up_sync(FULL, x, 2, f.at);
    f.out[2 * n + i] = __shfl_down_sync(FULL, x, 2, f.at);
    f.out[3 * n + i] = __shfl_sync(FULL, x, 5, f.at);
    f.out[4 * n + i] = (float)__shfl_sync(FULL, (int)threadIdx.x, 1);
    f.out[5 * n + i] = (float)__shfl_up_sync(FULL, (long long)i << 40, 1) / 1099511627776.0f;
}
KERNEL(votes, Job, SIZE, 1) {  // numbers (8)
    const int i = threadIdx.x;
    const bool hit = i == f.at;
    const unsigned ballot = __ballot_sync(FULL, hit);
    const int any = __any_sync(FULL, hit), all = __all_sync(FULL, hit);
    const int some = __syncthreads_or(hit), every = __syncthreads_and(i >= 0), count = __syncthreads_count(i < f.at);
    atomicOr(f.numbers + 6, 1 << i % 31);
    atomicAdd(f.numbers + 7, 1);
    if (hit) {
        f.numbers[0] = (int)ballot, f.numbers[1] = any, f.numbers[2] = all;
        f.numbers[3] = some, f.numbers[4] = every, f.numbers[5] = count;
    }
}
KERNEL(divide, Job, SIZE, 1) { f.numbers[0] = f.numbers[1] / f.at; }
KERNEL(touch, Job, SIZE, 1) { f.out[f.at] = 0; }
