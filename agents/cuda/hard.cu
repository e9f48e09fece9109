// Runs of hardened stacks on integers: what agents/hard.py says, with the controller in float32.
//
// A warp runs EXAMPLES examples of one member until the last of them has ended. All its lanes share the products of
// the controller and the search for the largest logits; then a lane runs the machine of an example.
#include "gates.cuh"

constexpr int THREADS = 128, WARP = 32, EXAMPLES = 8;
constexpr int COLUMNS = 2;  // of a layer that a lane sums at once, for all examples

// Where things begin in an example's share of shared memory, in floats.
struct Places {
    int observed;  // R: 1 where a register is 0
    int first;     // H: the first layer
    int hidden;    // H: what the logits are made of, an LSTM's h
    int cell;      // H: an LSTM's c
    int out;       // 4 H: an LSTM's gates; then D: logits
    int values;    // R + Q integers
    int choices;   // S integers
    int memory;    // W integers of 16 bits
    int stride;    // of the next example
};

struct Runs {
    const float* parameters;  // (P, N)
    const short* memory;      // (B, W)
    const short* wanted;      // (B, W); of output cells, -1 elsewhere
    const int* memory_sizes;  // (B,); M
    const int* limits;        // (B,)
    const int* gates;         // (Q,)
    const int* starts;        // (S + 1,); of the selectors' logits, and of the halting logit
    bool* failed;             // (P, B)
    int* steps;               // (P, B)
    long long size;           // N
    int examples, width;      // B, W
    int registers, num_gates, selectors, hidden;  // R, Q, S, H
    int recurrent, must_stop;
    Places at;
};

// Adds inputs times weights to the sums of some columns of a layer.
DEV void multiply(float (&sum)[COLUMNS][EXAMPLES], const float* weights, int columns, const int (&column)[COLUMNS],
                  const float* from, int stride, int inputs) {
    int j = 0;
    for (; j + 4 <= inputs; j += 4) {
        float weight[COLUMNS][4];
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c)
#pragma unroll
            for (int q = 0; q < 4; ++q) weight[c][q] = weights[(j + q) * columns + column[c]];
#pragma unroll
        for (int e = 0; e < EXAMPLES; ++e) {
            const float4 x = *(const float4*)(from + e * stride + j);
#pragma unroll
            for (int c = 0; c < COLUMNS; ++c)
                sum[c][e] += x.x * weight[c][0] + x.y * weight[c][1] + x.z * weight[c][2] + x.w * weight[c][3];
        }
    }
    for (; j < inputs; ++j)
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) {
            const float weight = weights[j * columns + column[c]];
#pragma unroll
            for (int e = 0; e < EXAMPLES; ++e) sum[c][e] += from[e * stride + j] * weight;
        }
}

// A layer's outputs for all examples, from `inputs` numbers and, behind them, `more`; what is behind its parameters.
template <bool RELU>
DEV const float* apply(const float* weights, int columns, const float* from, int inputs, const float* beside, int more,
                       float* to, int stride) {
    const float* bias = weights + (inputs + more) * columns;
    __syncwarp();  // the inputs are there
    for (int begin = 0; begin < columns; begin += COLUMNS * WARP) {
        const int own = begin + threadIdx.x % WARP;
        int column[COLUMNS];
        float sum[COLUMNS][EXAMPLES];
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) {
            column[c] = min(own + c * WARP, columns - 1);
#pragma unroll
            for (int e = 0; e < EXAMPLES; ++e) sum[c][e] = bias[column[c]];
        }
        multiply(sum, weights, columns, column, from, stride, inputs);
        multiply(sum, weights + inputs * columns, columns, column, beside, stride, more);
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c)
            if (own + c * WARP < columns)
#pragma unroll
                for (int e = 0; e < EXAMPLES; ++e)
                    to[e * stride + column[c]] = RELU && sum[c][e] < 0.0f ? 0.0f : sum[c][e];
    }
    __syncwarp();  // the outputs are
    return bias + columns;
}

DEV float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }  // exact: it is the products that take time

// From an LSTM's gates before their activation functions to its new state.
DEV void lstm_cell(const Runs& f, float* shared) {
    const int h = f.hidden;
    for (int i = threadIdx.x % WARP; i < EXAMPLES * h; i += WARP) {
        float* at = shared + i % EXAMPLES * f.at.stride;
        const float* gates = at + f.at.out + i / EXAMPLES;
        float& cell = at[f.at.cell + i / EXAMPLES];
        cell = sigmoid(gates[h]) * cell + sigmoid(gates[0]) * tanhf(gates[3 * h]);
        at[f.at.hidden + i / EXAMPLES] = sigmoid(gates[2 * h]) * tanhf(cell);
    }
}

// The logits of all examples, from what the registers hold.
DEV void control(const Runs& f, const float* weights, float* shared) {
    for (int i = threadIdx.x % WARP; i < EXAMPLES * f.registers; i += WARP) {
        float* at = shared + i % EXAMPLES * f.at.stride;
        at[f.at.observed + i / EXAMPLES] = ((const int*)at)[f.at.values + i / EXAMPLES] == 0;
    }
    const int h = f.hidden, stride = f.at.stride;
    float *first = shared + f.at.first, *hidden = shared + f.at.hidden, *out = shared + f.at.out;
    weights = apply<true>(weights, h, shared + f.at.observed, f.registers, nullptr, 0, first, stride);
    if (f.recurrent) {
        weights = apply<false>(weights, 4 * h, first, h, hidden, h, out, stride);
        lstm_cell(f, shared);
    } else
        weights = apply<true>(weights, h, first, h, nullptr, 0, hidden, stride);
    apply<false>(weights, f.starts[f.selectors] + 1, hidden, h, nullptr, 0, out, stride);
}

// The largest logit of every selector of all examples, the first on ties.
DEV void choose(const Runs& f, float* shared) {
    for (int i = threadIdx.x % WARP; i < EXAMPLES * f.selectors; i += WARP) {
        float* at = shared + i % EXAMPLES * f.at.stride;
        const int selector = i / EXAMPLES, start = f.starts[selector], count = f.starts[selector + 1] - start;
        const float* logits = at + f.at.out + start;
        float most = logits[0];
        int best = 0;
        for (int k = 1; k < count; ++k)
            if (logits[k] > most) most = logits[k], best = k;
        ((int*)at)[f.at.choices + selector] = best;
    }
    __syncwarp();
}

// As nram_env.machine.gates.apply_gate; all values are in 0..size-1.
DEV int run_gate(int gate, int a, int b, short* memory, int size) {
    switch (gate) {
        case READ: return memory[a];
        case ZERO: return 0;
        case ONE: return 1 % size;
        case TWO: return 2 % size;
        case INC: return a + 1 < size ? a + 1 : 0;
        case ADD: return a + b < size ? a + b : a + b - size;
        case SUB: return a < b ? a - b + size : a - b;
        case DEC: return a ? a - 1 : size - 1;
        case LESS: return a < b;
        case LESS_EQUAL: return a <= b && size > 1;
        case EQUAL: return a == b && size > 1;
        case MIN: return min(a, b);
        case MAX: return max(a, b);
        default: memory[a] = (short)b; return b;
    }
}

// One timestep of an example's machine.
DEV void advance(const Runs& f, float* at, int size) {
    int* values = (int*)at + f.at.values;
    const int* choice = (const int*)at + f.at.choices;
    short* memory = (short*)(at + f.at.memory);
    for (int g = 0; g < f.num_gates; ++g) {
        const int gate = f.gates[g], arguments = arity(gate);
        const int a = arguments > 0 ? values[*choice++] : 0, b = arguments > 1 ? values[*choice++] : 0;
        values[f.registers + g] = run_gate(gate, a, b, memory, size);
    }
    // what a register takes may be another register: the choices become what is taken
    int* taken = (int*)at + f.at.choices + f.selectors - f.registers;
    for (int r = 0; r < f.registers; ++r) taken[r] = values[taken[r]];
    for (int r = 0; r < f.registers; ++r) values[r] = taken[r];
}

// Examples from `begin` on before their first timestep; what is not there stands still.
DEV void start(const Runs& f, float* shared, int begin) {
    const int lane = threadIdx.x % WARP;
    for (int e = 0; e < EXAMPLES; ++e) {
        float* at = shared + e * f.at.stride;
        for (int i = lane; i < f.hidden; i += WARP) {
            at[f.at.hidden + i] = 0;
            if (f.recurrent) at[f.at.cell + i] = 0;
        }
        for (int r = lane; r < f.registers; r += WARP) ((int*)at)[f.at.values + r] = 0;
        if (begin + e < f.examples)
            for (int x = lane; x < f.width; x += WARP)
                ((short*)(at + f.at.memory))[x] = f.memory[(long long)(begin + e) * f.width + x];
    }
    __syncwarp();
}

// Whether an output cell of an example is wrong, for all lanes.
DEV bool wrong(const Runs& f, const float* at, long long example) {
    bool found = false;
    for (int x = threadIdx.x % WARP; x < f.width; x += WARP) {
        const short wanted = f.wanted[example * f.width + x];
        found |= wanted >= 0 && ((const short*)(at + f.at.memory))[x] != wanted;
    }
    return __any_sync(FULL, found);
}

KERNEL(hard_runs, Runs, THREADS, 4) {
    SHARED(block);
    const int warps = blockDim.x / WARP, parts = (f.examples + warps * EXAMPLES - 1) / (warps * EXAMPLES);
    const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    const long long member = blockIdx.x / parts;
    const int begin = (blockIdx.x % parts * warps + warp) * EXAMPLES, example = begin + lane;
    const bool mine = lane < EXAMPLES && example < f.examples;
    const int limit = mine ? f.limits[example] : 0, size = mine ? f.memory_sizes[example] : 1;
    float* const shared = block + warp * EXAMPLES * f.at.stride;
    float* const at = shared + lane * f.at.stride;
    start(f, shared, begin);
    int step = 0;
    bool stopped = false;
    while (__any_sync(FULL, step < limit && !stopped)) {
        control(f, f.parameters + member * f.size, shared);
        choose(f, shared);
        if (step < limit && !stopped) {
            advance(f, at, size);
            stopped = at[f.at.out + f.starts[f.selectors]] > 0.0f;
            ++step;
        }
        __syncwarp();  // a vote orders no memory
    }
    bool failed = f.must_stop && !stopped;
    for (int e = 0; e < EXAMPLES && begin + e < f.examples; ++e)
        if (wrong(f, shared + e * f.at.stride, begin + e) && e == lane) failed = true;
    if (mine) f.failed[member * f.examples + example] = failed, f.steps[member * f.examples + example] = step;
}
