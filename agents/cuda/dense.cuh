// Layers of one member's controller for the EXAMPLES of a block, by all its THREADS. A layer is stored as its weights
// (IN, OUT), then its bias (OUT). What goes in lies in shared memory, `from` floats into every example's share, filled up
// with zeros to a multiple of four; what comes out is handed to `take`.
#pragma once
#include "machine.cuh"

HOST_DEV constexpr int examples_at_once(int columns) { int n = EXAMPLES; while (n > 1 && columns * (EXAMPLES / n) * 2 <= THREADS) n /= 2; return n; }

// take(example, k, sum over j of x[j] w[j][k] + bias[k])
template <int IN, int OUT, class Take> DEV void dense(const float* w, const float* shared, int share, int from, Take take) {
    constexpr int at_once = examples_at_once(OUT);
    for (int item = threadIdx.x; item < OUT * (EXAMPLES / at_once); item += THREADS) {
        const int k = item % OUT, first = item / OUT * at_once;
        const float bias = __ldg(w + IN * OUT + k);
        float sum[at_once];
#pragma unroll
        for (int e = 0; e < at_once; ++e) sum[e] = bias;
#pragma unroll 4
        for (int j = 0; j < IN; j += 4) {
            float weight[4];
#pragma unroll
            for (int q = 0; q < 4; ++q) weight[q] = j + q < IN ? __ldg(w + (j + q) * OUT + k) : 0.0f;
#pragma unroll
            for (int e = 0; e < at_once; ++e) {
                const float4 x = *(const float4*)(shared + (first + e) * share + from + j);
                sum[e] += x.x * weight[0] + x.y * weight[1] + x.z * weight[2] + x.w * weight[3];
            }
        }
#pragma unroll
        for (int e = 0; e < at_once; ++e) take(first + e, k, sum[e]);
    }
}

constexpr int SLICES = 8, UNITS = 4;  // threads that share a sum; inputs of a thread
HOST_DEV constexpr int tile_of(int groups) { int n = 1; while (n < 4 && n < EXAMPLES && groups * (EXAMPLES / n) > THREADS / SLICES) n *= 2; return n; }

// take(example, j, sum over k of d[k] w[j][k]); ALIGNED: whether every row of weights begins at a multiple of 16 bytes
template <int IN, int OUT, bool ALIGNED, class Take> DEV void dense_backward(const float* w, const float* shared, int share, int from, Take take) {
    constexpr int groups = (IN + UNITS - 1) / UNITS, tile = tile_of(groups), tiles = groups * (EXAMPLES / tile), at_once = THREADS / SLICES;
    const int slice = threadIdx.x % SLICES;
    for (int round = 0; round < (tiles + at_once - 1) / at_once; ++round) {  // all threads go the same way, for the shuffles
        const int place = round * at_once + threadIdx.x / SLICES, mine = place < tiles ? place : 0;
        const int j0 = mine % groups * UNITS, first = mine / groups * tile;
        float sum[UNITS * tile];
#pragma unroll
        for (int i = 0; i < UNITS * tile; ++i) sum[i] = 0;
        if constexpr (ALIGNED) {
#pragma unroll 2
            for (int k = slice * 4; k < OUT; k += 4 * SLICES) {
                float4 d[tile];
#pragma unroll
                for (int e = 0; e < tile; ++e) d[e] = *(const float4*)(shared + (first + e) * share + from + k);
#pragma unroll
                for (int u = 0; u < UNITS; ++u) {
                    const float4 weight = __ldg((const float4*)(w + (j0 + u < IN ? j0 + u : j0) * OUT + k));
#pragma unroll
                    for (int e = 0; e < tile; ++e) sum[u * tile + e] += d[e].x * weight.x + d[e].y * weight.y + d[e].z * weight.z + d[e].w * weight.w;
                }
            }
        } else {
#pragma unroll 2
            for (int k = slice; k < OUT; k += SLICES) {
                float d[tile];
#pragma unroll
                for (int e = 0; e < tile; ++e) d[e] = shared[(first + e) * share + from + k];
#pragma unroll
                for (int u = 0; u < UNITS; ++u) {
                    const float weight = __ldg(w + (j0 + u < IN ? j0 + u : j0) * OUT + k);
#pragma unroll
                    for (int e = 0; e < tile; ++e) sum[u * tile + e] += d[e] * weight;
                }
            }
        }
#pragma unroll
        for (int i = 0; i < UNITS * tile; ++i)
#pragma unroll
            for (int o = 1; o < SLICES; o <<= 1) sum[i] += __shfl_xor_sync(FULL, sum[i], o, SLICES);
#pragma unroll
        for (int i = 0; i < UNITS * tile; ++i)
            if (i % SLICES == slice && place < tiles && j0 + i / tile < IN) take(first + i % tile, j0 + i / tile, sum[i]);
    }
}

// visit(example, k) for every example and k < COUNT
template <int COUNT, class Visit> DEV void for_all(Visit visit) {
    for (int i = threadIdx.x; i < EXAMPLES * COUNT; i += THREADS) visit(i / COUNT, i % COUNT);
}
