// Whole episodes, forward and backward through time: a block is EXAMPLES examples of one member, its controller and its
// machines in turn, whose state stays in shared memory and registers from the first timestep to the last.
//
// Besides what machine.cuh takes: LSTM (or feed-forward), HIDDEN (H), SHARP (read tests through a smoothstep), SHARP_REGISTERS (square them after each timestep), NOISY_REGISTERS (multiply
// them by noise before), MIXTURE (or expected loss), BATCH (at most
// so many examples in a block), SHARED_BYTES (that a block can have).
#include "machine.cuh"

constexpr int H = HIDDEN;
constexpr int IN_SECOND = LSTM ? 2 * H : H, OUT_SECOND = LSTM ? 4 * H : H;  // layers: R -> H, IN_SECOND -> OUT_SECOND, H -> D
constexpr int FIRST = 0, SECOND = FIRST + (R + 1) * H, HEAD = SECOND + (IN_SECOND + 1) * OUT_SECOND, N = HEAD + (H + 1) * D;

// ---- an example's share of shared memory, in floats, behind what the machine needs
constexpr int SCRATCH_FLOATS = fours(OUT_SECOND) + fours(IN_SECOND), SPARE = S * ROW;  // the rows are free while controllers work
constexpr int INPUTS = fours(MACHINE_FORWARD) + (SPARE < SCRATCH_FLOATS ? fours(SCRATCH_FLOATS) : 0);  // of the second layer
constexpr int LAST = INPUTS + fours(IN_SECOND), OBSERVED = LAST + fours(H);
constexpr int FORWARD_SHARE = spread(OBSERVED + fours(R)), FORWARD_SCRATCH = SPARE < SCRATCH_FLOATS ? fours(MACHINE_FORWARD) : ROWS;

constexpr int D_OBSERVED = fours(MACHINE_BACKWARD) + (SPARE < SCRATCH_FLOATS ? fours(SCRATCH_FLOATS) : 0);
constexpr int D_LAST = D_OBSERVED + fours(R), D_MEMORY = D_LAST + fours(H), BACKWARD_SCRATCH = SPARE < SCRATCH_FLOATS ? fours(MACHINE_BACKWARD) : ROWS;
constexpr int BACKWARD_SHARE = spread(D_MEMORY + GRADIENT_FLOATS);

constexpr int RESIDENT = 512;  // threads of a multiprocessor: more had fewer registers than the machine needs
constexpr int LARGEST_SHARE = 4 * (BACKWARD_SHARE > FORWARD_SHARE ? BACKWARD_SHARE : FORWARD_SHARE);
HOST_DEV constexpr int examples_of_a_block() {
    int n = 1;
    while (n < 16 && (n < BATCH || n * WIDTH < 32)) n *= 2;
    while (n * WIDTH > 32 && n * LARGEST_SHARE > SHARED_BYTES) n /= 2;
    return n;
}
constexpr int EXAMPLES = examples_of_a_block(), THREADS = EXAMPLES * WIDTH;
static_assert(EXAMPLES * LARGEST_SHARE <= SHARED_BYTES, "too large a machine for shared memory");
HOST_DEV constexpr int blocks_at_once(int share) { const int n = SHARED_BYTES / (4 * share * EXAMPLES), most = RESIDENT / THREADS; return n < 1 ? 1 : n < most ? n : most < 1 ? 1 : most; }

#include "dense.cuh"

struct Play {
    const float* parameters;                                  // (P, N)
    const long long *memory, *target, *horizon;               // (n, M), (n, M), (n); n = P x batch
    const unsigned char* mask;                                // (n, M)
    const long long* chance;                                  // (n), what the noise of registers is a function of, 0 for none; or null
    float *registers_tape, *memory_tape, *survival_tape;      // (T, n, ...): state before every timestep; or null
    unsigned char* finished_tape;                             // (T, n)
    float *observed, *inputs, *last;                          // (P, T, batch, ... + 1): what enters each layer, and 1; or null
    float *activations, *cell;                                // (P, T, batch, 4 H), (P, T + 1, batch, H): of the LSTM
    float *halting, *likelihood, *entropy, *halting_entropy;  // (T, n); likelihood (T, n, M) if MIXTURE
    float *credit, *output;                                   // (n, M), (n, M, M): sums over timesteps
    int *taken, *silent;                                      // of every block: timesteps; first one whose logits were not finite
    const float *d_halting, *d_likelihood, *d_entropy, *d_halting_entropy;  // (T, n); d_likelihood (n, M), of the credit, if MIXTURE
    float *d_logits, *d_second, *d_first;                     // (P, T, batch, ...): gradients of what comes of each layer
    long long members, batch;
    int timesteps, slots;                                     // slots of memory_tape: T, or 2 where nothing is kept
    float log_floor, floor, limit;
};

DEV bool is_finite(float x) { return fabsf(x) <= 3.4e38f; }
DEV float bounded(float x) {  // tanh
#ifdef ON_CPU
    return tanhf(x);
#else
    const float e = __expf(-2.0f * fabsf(x)), t = __fdividef(1.0f - e, 1.0f + e);
    return fabsf(x) < 0.1f ? tanhf(x) : copysignf(t, x);
#endif
}

// Where a block and its examples are.
struct Block {
    long long member, first, batch, total;  // first: of the block's examples, among all
    int timesteps;
    MEMBER explicit Block(const Play& f) : batch(f.batch), total(f.members * f.batch), timesteps(f.timesteps) {
        const long long blocks = f.batch / EXAMPLES;
        member = blockIdx.x / blocks;
        first = member * batch + blockIdx.x % blocks * EXAMPLES;
    }
    MEMBER long long row(int t, int example) const { return t * total + first + example; }                                               // of (T, n)
    MEMBER long long step(int t, int example) const { return (member * timesteps + t) * batch + first - member * batch + example; }  // of (P, T, batch)
    MEMBER long long before(int t, int example) const { return step(t, example) + member * batch; }                                      // of (P, T + 1, batch)
};

// ---- controller, forward -------------------------------------------------------------------------------------------
constexpr int CELL_ITEMS = (EXAMPLES * H + THREADS - 1) / THREADS;  // cells of the LSTM that a thread keeps

// Observations at OBSERVED to logits at PACKED. Returns whether any was not finite.
DEV bool decide(const Play& f, const Block& at, int t, const float* w, float* shared, float cell[CELL_ITEMS]) {
    constexpr int share = FORWARD_SHARE;
    dense<R, H>(w + FIRST, shared, share, OBSERVED, [&](int e, int j, float sum) { shared[e * share + INPUTS + j] = fmaxf(sum, 0.0f); });
    if (f.observed) for_all<R + 1>([&](int e, int r) { f.observed[at.step(t, e) * (R + 1) + r] = r < R ? shared[e * share + OBSERVED + r] : 1.0f; });
    __syncthreads();
    if (f.inputs) for_all<IN_SECOND + 1>([&](int e, int j) { f.inputs[at.step(t, e) * (IN_SECOND + 1) + j] = j < IN_SECOND ? shared[e * share + INPUTS + j] : 1.0f; });
    if constexpr (LSTM) {
        dense<IN_SECOND, OUT_SECOND>(w + SECOND, shared, share, INPUTS, [&](int e, int j, float sum) {
            const float value = j < 3 * H ? sigmoid(sum) : bounded(sum);
            shared[e * share + FORWARD_SCRATCH + j] = value;
            if (f.activations) f.activations[at.step(t, e) * 4 * H + j] = value;
        });
        __syncthreads();
#pragma unroll
        for (int i = 0; i < CELL_ITEMS; ++i) {
            const int item = threadIdx.x + i * THREADS, e = item / H, j = item % H;
            if (e < EXAMPLES) {
                const float* a = shared + e * share + FORWARD_SCRATCH + j;
                cell[i] = a[H] * cell[i] + a[0] * a[3 * H];
                const float h = a[2 * H] * bounded(cell[i]);
                shared[e * share + INPUTS + H + j] = shared[e * share + LAST + j] = h;
                if (f.cell) f.cell[at.before(t + 1, e) * H + j] = cell[i];
            }
        }
    } else dense<IN_SECOND, OUT_SECOND>(w + SECOND, shared, share, INPUTS, [&](int e, int j, float sum) { shared[e * share + LAST + j] = fmaxf(sum, 0.0f); });
    __syncthreads();
    if (f.last) for_all<H + 1>([&](int e, int j) { f.last[at.step(t, e) * (H + 1) + j] = j < H ? shared[e * share + LAST + j] : 1.0f; });
    bool broken = false;
    dense<H, D>(w + HEAD, shared, share, LAST, [&](int e, int k, float sum) { shared[e * share + PACKED + k] = sum, broken |= !is_finite(sum); });
    return __syncthreads_or(broken);
}
DEV void silence(float* shared, int share) {
    for_all<D>([&](int e, int k) { shared[e * share + PACKED + k] = 0; });
    __syncthreads();
}

// Sharp registers and their noise, and from the gradient of the result, `row` in memory, to that of p: see sharpness.h.
DEV unsigned mixed(unsigned word) {
    word = (word ^ word >> 16) * 0x7feb352du;
    word = (word ^ word >> 15) * 0x846ca68bu;
    return word ^ word >> 16;
}
DEV void weights_of(Columns weights, const Play& f, long long e, int t, int r, int g) {
    const unsigned chance = NOISY_REGISTERS ? (unsigned)f.chance[e] : 0u, moment = mixed(chance + t * 0x85ebca6bu);
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) {
        const unsigned word = mixed(moment + (unsigned)(r * M + g * COLUMNS + i) * 0x9e3779b9u);
        weights[i] = chance ? ((word >> 9) + 0.5f) * 0x1p-23f : 1.0f;
    }
}
DEV void square(Columns p, const Columns weights) {
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) p[i] *= weights[i], p[i] *= p[i];
    const float scale = 1.0f / sum_row(p);
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) p[i] *= scale;
}
DEV void square_backward(Columns d, const Columns weights, const float* row, int g) {
    Columns roots, weighed;
    load_row(roots, row, g);
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) weighed[i] = d[i] * roots[i], roots[i] = sqrtf(roots[i]) / weights[i];
    const float sum = sum_row(roots), mean = sum_row(weighed);
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) d[i] = 2 * sum * weights[i] * weights[i] * roots[i] * (d[i] - mean);
}

KERNEL(episode_forward, Play, THREADS, blocks_at_once(FORWARD_SHARE)) {
    SHARED(shared);
    const Block at(f);
    const int g = threadIdx.x % WIDTH, local = threadIdx.x / WIDTH;
    const long long e = at.first + local;
    const float* w = f.parameters + at.member * N;
    const Lane l{g, shared + local * FORWARD_SHARE};
    float v[V][COLUMNS], cell[CELL_ITEMS], survival = 1;
    Played memory;
    bool finished = false, silent = false;
    memory.open(f.memory_tape + e * M * M);
#pragma unroll
    for (int x = 0; x < M; ++x) {
        const int value = (int)f.memory[e * M + x];
        Columns row;
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) row[i] = l.column(i) == value ? 1.0f : 0.0f;
        memory.keep(x, row);
        if constexpr (!IN_REGISTERS) store_row(f.memory_tape + (e * M + x) * M, row, g);
        fill(row, 0);
        store_row(f.output + (e * M + x) * M, row, g);
    }
    each<0, R>([&](auto at_r) {
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) v[decltype(at_r)::value][i] = l.column(i) == 0 ? 1.0f : 0.0f;
    });
#pragma unroll
    for (int i = 0; i < CELL_ITEMS; ++i) cell[i] = 0;
    note_wanted(l, f.target + e * M, f.mask + e * M);
    for_all<FORWARD_SHARE - INPUTS>([&](int b, int k) { shared[b * FORWARD_SHARE + INPUTS + k] = 0; });
    if (LSTM && f.cell) for_all<H>([&](int b, int j) { f.cell[at.before(0, b) * H + j] = 0; });
    __syncthreads();
    for_all<R>([&](int b, int r) { shared[b * FORWARD_SHARE + OBSERVED + r] = 1; });
    __syncthreads();
    int t = 0, silent_from = f.timesteps;
    for (bool running = true; running && t < f.timesteps; ++t) {
        const long long row = at.row(t, local);
        if (decide(f, at, t, w, shared, cell) && !silent) silent = true, silent_from = t;
        if (silent) silence(shared, FORWARD_SHARE);
        if (f.registers_tape) {
#pragma unroll
            for (int r = 0; r < R; ++r) store_row(f.registers_tape + (row * R + r) * M, v[r], g);
            if (g == 0) f.survival_tape[row] = survival, f.finished_tape[row] = finished;
            if constexpr (IN_REGISTERS) {
#pragma unroll
                for (int x = 0; x < M; ++x) {
                    Columns cells;
                    memory.load(x, cells, l);
                    store_row(f.memory_tape + (row * M + x) * M, cells, g);
                }
            }
        }
        const float entropy = sum_lanes(soften(l)), logit = l.at[PACKED + K], before = survival;
        __syncwarp();
        forward_gates<0>(l, v, memory, finished);
        Columns fresh[R];
        forward_registers(l, fresh, v);
        // memory after the timestep: its likelihood and the sums of its rows
        float rows[WIDTH * COLUMNS], likelihood = 0;
#pragma unroll
        for (int x = 0; x < WIDTH * COLUMNS; ++x) rows[x] = 0;
#pragma unroll
        for (int x = 0; x < M; ++x) {
            const int wanted = wanted_at(l, x);
            Columns cells;
            row_after<WRITES>(l, x, cells, v, memory);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) {
                rows[x] += cells[i];
                if (!MIXTURE && wanted == i) likelihood += fast_log(fmaxf(cells[i], f.log_floor));
            }
            memory.keep(x, cells);
        }
        Columns scale;
        sum_rows(scale, rows, g);
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) scale[i] = finished ? 1.0f : 1.0f / scale[i];
        put(l, SINGLE, scale);
        // halting
        survival = before * (1.0f - sigmoid(logit));
        const bool ends = t + 1 >= f.horizon[e] || survival < f.floor || finished;
        if (ends) survival = 0;
        const float halting = before - survival;
        // output, and memory and registers rescaled
        float* next = f.memory_tape + ((t + 1) % f.slots * at.total + e) * M * M;
#pragma unroll
        for (int x = 0; x < M; ++x) {
            Columns cells, out;
            if constexpr (IN_REGISTERS) memory.load(x, cells, l);
            else row_after<WRITES>(l, x, cells, v, memory);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) cells[i] *= l.at[SINGLE + x];
            if (halting != 0) {
                float* sum = f.output + (e * M + x) * M;
                load_row(out, sum, g);
#pragma unroll
                for (int i = 0; i < COLUMNS; ++i) out[i] += halting * cells[i];
                store_row(sum, out, g);
            }
            if constexpr (MIXTURE) {
                const int wanted = wanted_at(l, x);
#pragma unroll
                for (int i = 0; i < COLUMNS; ++i) if (wanted == i) f.likelihood[row * M + x] = cells[i], f.credit[e * M + x] += halting * cells[i];
            }
            memory.keep(x, cells);
            if constexpr (!IN_REGISTERS) if (t + 1 < f.timesteps) store_row(next + x * M, cells, g);
        }
        memory.open(next);
#pragma unroll
        for (int r = 0; r < R; ++r) {
            const float sum = 1.0f / sum_row(fresh[r]);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) fresh[r][i] *= sum;
            if constexpr (SHARP_REGISTERS) {
                Columns weights;
                weights_of(weights, f, e, t, r, g);
                square(fresh[r], weights);
            }
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) v[r][i] = finished ? v[r][i] : fresh[r][i];
            if (g == 0) l.at[OBSERVED + r] = SHARP ? v[r][0] * v[r][0] * (3 - 2 * v[r][0]) : v[r][0];
        }
        if constexpr (!MIXTURE) likelihood = sum_lanes(likelihood);
        if (g == 0) {
            f.halting[row] = halting;
            if constexpr (!MIXTURE) f.likelihood[row] = likelihood;
            f.entropy[row] = finished ? 0.0f : entropy, f.halting_entropy[row] = finished ? 0.0f : halting_entropy_of(logit);
        }
        finished = ends;
        running = __syncthreads_or(!finished);
    }
    if (threadIdx.x == 0) f.taken[blockIdx.x] = t, f.silent[blockIdx.x] = silent_from;
    if (f.observed)
        for (; t < f.timesteps; ++t) {
            for_all<R + 1>([&](int b, int r) { f.observed[at.step(t, b) * (R + 1) + r] = 0; });
            for_all<IN_SECOND + 1>([&](int b, int j) { f.inputs[at.step(t, b) * (IN_SECOND + 1) + j] = 0; });
            for_all<H + 1>([&](int b, int j) { f.last[at.step(t, b) * (H + 1) + j] = 0; });
        }
}

// ---- backward ------------------------------------------------------------------------------------------------------
constexpr bool BY_FOUR = N % 4 == 0;
constexpr bool ALIGNED_HEAD = BY_FOUR && HEAD % 4 == 0 && D % 4 == 0, ALIGNED_SECOND = BY_FOUR && SECOND % 4 == 0 && OUT_SECOND % 4 == 0;

// What the controller's step kept, asked for before it is needed.
struct Kept {
    float act[CELL_ITEMS][4], was[CELL_ITEMS], now[CELL_ITEMS];
    MEMBER void load(const Play& f, const Block& at, int t) {
        if constexpr (LSTM) {
#pragma unroll
            for (int i = 0; i < CELL_ITEMS; ++i) {
                const int item = threadIdx.x + i * THREADS, e = item / H, j = item % H;
                if (e < EXAMPLES) {
#pragma unroll
                    for (int q = 0; q < 4; ++q) act[i][q] = f.activations[at.step(t, e) * 4 * H + q * H + j];
                    was[i] = f.cell[at.before(t, e) * H + j], now[i] = f.cell[at.before(t + 1, e) * H + j];
                }
            }
        }
    }
};

// Gradients of the logits at PACKED to those of the observations at D_OBSERVED; D_LAST carries the gradient of h through time.
DEV void decide_backward(const Play& f, const Block& at, int t, const float* w, float* shared, const Kept& kept, float d_cell[CELL_ITEMS]) {
    constexpr int share = BACKWARD_SHARE, D_SECOND = BACKWARD_SCRATCH, D_INPUTS = D_SECOND + fours(OUT_SECOND);
    for_all<D>([&](int e, int k) { f.d_logits[at.step(t, e) * D + k] = shared[e * share + PACKED + k]; });
    dense_backward<H, D, ALIGNED_HEAD>(w + HEAD, shared, share, PACKED, [&](int e, int j, float sum) { shared[e * share + D_LAST + j] += sum; });
    __syncthreads();
    if constexpr (LSTM) {
#pragma unroll
        for (int i = 0; i < CELL_ITEMS; ++i) {
            const int item = threadIdx.x + i * THREADS, e = item / H, j = item % H;
            if (e < EXAMPLES) {
                const float enter = kept.act[i][0], forget = kept.act[i][1], emit = kept.act[i][2], candidate = kept.act[i][3];
                const float squashed = bounded(kept.now[i]), d = shared[e * share + D_LAST + j];
                const float d_now = d * emit * (1 - squashed * squashed) + d_cell[i];
                float* out = shared + e * share + D_SECOND + j;
                out[0] = d_now * candidate * enter * (1 - enter), out[H] = d_now * kept.was[i] * forget * (1 - forget);
                out[2 * H] = d * squashed * emit * (1 - emit), out[3 * H] = d_now * enter * (1 - candidate * candidate);
                d_cell[i] = d_now * forget;
            }
        }
    } else for_all<H>([&](int e, int j) {
        shared[e * share + D_SECOND + j] = f.last[at.step(t, e) * (H + 1) + j] > 0 ? shared[e * share + D_LAST + j] : 0.0f;
        shared[e * share + D_LAST + j] = 0;
    });
    __syncthreads();
    for_all<OUT_SECOND>([&](int e, int j) { f.d_second[at.step(t, e) * OUT_SECOND + j] = shared[e * share + D_SECOND + j]; });
    dense_backward<IN_SECOND, OUT_SECOND, ALIGNED_SECOND>(w + SECOND, shared, share, D_SECOND, [&](int e, int j, float sum) {
        if (j < H) {
            const float d = f.inputs[at.step(t, e) * (IN_SECOND + 1) + j] > 0 ? sum : 0.0f;
            shared[e * share + D_INPUTS + j] = d, f.d_first[at.step(t, e) * H + j] = d;
        } else shared[e * share + D_LAST + j - H] = sum;
    });
    __syncthreads();
    for_all<R>([&](int e, int r) {
        float sum = 0;
        for (int j = 0; j < H; ++j) sum += shared[e * share + D_INPUTS + j] * __ldg(w + FIRST + r * H + j);
        if constexpr (SHARP) {
            const float p = f.registers_tape[(at.row(t, e) * R + r) * M];
            sum *= 6 * p * (1 - p);
        }
        shared[e * share + D_OBSERVED + r] = sum;
    });
}

// The gradient of the wanted values' probabilities, where they are: in memory after the timestep.
DEV void likelihood_backward(Lane l, const Columns v[V], Learned& cells, const Play& f, long long e, float d_likelihood, float halting, bool finished) {
#pragma unroll
    for (int x = 0; x < M; ++x) {
        const int wanted = wanted_at(l, x);
        if (wanted >= 0 && wanted < COLUMNS && !finished) {
            Columns d, after;
            cells.take(x, d, l);
            if constexpr (!MIXTURE) row_after<WRITES>(l, x, after, v, cells);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i)
                if (wanted == i) {
                    if constexpr (MIXTURE) d[i] += f.d_likelihood[e * M + x] * halting;
                    else if (!(after[i] < f.log_floor)) d[i] += d_likelihood / after[i];
                }
            cells.give(x, d, l);
        }
    }
}

KERNEL(episode_backward, Play, THREADS, blocks_at_once(BACKWARD_SHARE)) {
    SHARED(shared);
    const Block at(f);
    const int g = threadIdx.x % WIDTH, local = threadIdx.x / WIDTH;
    const long long e = at.first + local;
    const float* w = f.parameters + at.member * N;
    const Lane l{g, shared + local * BACKWARD_SHARE};
    const int taken = f.taken[blockIdx.x], silent_from = f.silent[blockIdx.x];
    float d_registers[R][COLUMNS], d_cell[CELL_ITEMS], d_survival = 0;
    Learned cells;
    cells.keep_in(l.at + D_MEMORY);
#pragma unroll
    for (int r = 0; r < R; ++r) fill(d_registers[r], 0);
#pragma unroll
    for (int i = 0; i < CELL_ITEMS; ++i) d_cell[i] = 0;
#pragma unroll
    for (int x = 0; x < M; ++x) { Columns zero; fill(zero, 0); cells.give(x, zero, l); }
    note_wanted(l, f.target + e * M, f.mask + e * M);
    for_all<D_MEMORY - D_OBSERVED>([&](int b, int k) { shared[b * BACKWARD_SHARE + D_OBSERVED + k] = 0; });
    for (int t = f.timesteps - 1; t >= taken; --t) {
        for_all<D>([&](int b, int k) { f.d_logits[at.step(t, b) * D + k] = 0; });
        for_all<OUT_SECOND>([&](int b, int j) { f.d_second[at.step(t, b) * OUT_SECOND + j] = 0; });
        for_all<H>([&](int b, int j) { f.d_first[at.step(t, b) * H + j] = 0; });
    }
    for (int t = taken - 1; t >= 0; --t) {
        const long long row = at.row(t, local);
        __syncthreads();
        for_all<fours(H)>([&](int b, int j) { shared[b * BACKWARD_SHARE + BACKWARD_SCRATCH + j] = j < H ? f.last[at.step(t, b) * (H + 1) + j] : 0.0f; });
        float v[V][COLUMNS];
        Kept kept;
#pragma unroll
        for (int r = 0; r < R; ++r) load_row(v[r], f.registers_tape + (row * R + r) * M, g);
        cells.open(f.memory_tape + row * M * M, l);
        kept.load(f, at, t);
        const float d_halting = f.d_halting[row], before = f.survival_tape[row], d_entropy = f.d_entropy[row], d_halting_entropy = f.d_halting_entropy[row];
        const float d_likelihood = MIXTURE ? 0.0f : f.d_likelihood[row], halting = MIXTURE ? f.halting[row] : 0.0f;
        const bool finished = f.finished_tape[row];
        __syncthreads();
        dense<H, D>(w + HEAD, shared, BACKWARD_SHARE, BACKWARD_SCRATCH, [&](int b, int k, float sum) { shared[b * BACKWARD_SHARE + PACKED + k] = sum; });
        __syncthreads();
        if (t >= silent_from) silence(shared, BACKWARD_SHARE);
        {
            Columns d_v[V], d_kept[R];
            soften(l);
            __syncwarp();
            forward_gates<0>(l, v, cells, finished);
            keep_values(l, v);
#pragma unroll
            for (int j = 0; j < V; ++j) fill(d_v[j], 0);
#pragma unroll
            for (int r = 0; r < R; ++r) {
                if (g == 0) d_registers[r][0] += l.at[D_OBSERVED + r];
                copy(d_kept[r], d_registers[r]);
                if constexpr (SHARP_REGISTERS) if (t + 1 < taken) {
                    Columns weights;
                    weights_of(weights, f, e, t, r, g);
                    square_backward(d_registers[r], weights, f.registers_tape + (at.row(t + 1, local) * R + r) * M, g);
                }
                clip(d_registers[r], f.limit);
            }
            likelihood_backward(l, v, cells, f, e, d_likelihood, halting, finished);
            backward_registers(l, d_registers, d_v);
            backward_gates<Q - 1>(l, v, cells, d_v, f.limit, finished);
#pragma unroll
            for (int r = 0; r < R; ++r) copy(d_registers[r], finished ? d_kept[r] : d_v[r]);
            __syncwarp();
        }
        const float logit = l.at[PACKED + K], stop = sigmoid(logit), stay = 1.0f - stop;
        __syncwarp();
        soften_backward(l, d_entropy);
        const bool ends = t + 1 >= f.horizon[e] || before * stay < f.floor || finished;
        const float upper = ends ? 0.0f : d_survival - d_halting;
        d_survival = upper * stay + d_halting;
        if (g == 0) l.at[PACKED + K] = -(upper * before + d_halting_entropy * logit) * stop * stay;
        __syncwarp();
        if (finished) for (int k = g; k < D; k += WIDTH) l.at[PACKED + k] = 0;
        __syncthreads();
        decide_backward(f, at, t, w, shared, kept, d_cell);
    }
}

// What the host must know of the block that was chosen.
struct Shape { int* to; };
KERNEL(episode_shape, Shape, 32, 1) {
    if (threadIdx.x == 0) f.to[0] = EXAMPLES, f.to[1] = THREADS, f.to[2] = 4 * EXAMPLES * FORWARD_SHARE, f.to[3] = 4 * EXAMPLES * BACKWARD_SHARE;
}
