// One timestep of a batch, forward and backward, one example to WIDTH lanes: what nram_env.machine.backends computes.
//
// Specialised as machine.cuh says, and SCORED: whether the memory is scored against a wanted output. A lane whose example is
// not there does what the last example's does, and writes the same.
#include "machine.cuh"

constexpr int FORWARD_SHARE = spread(MACHINE_FORWARD), GRADIENT = fours(MACHINE_BACKWARD), BACKWARD_SHARE = spread(GRADIENT + GRADIENT_FLOATS);
constexpr int THREADS = 128, ROOM = 227 * 1024;  // of a block at most; of shared memory, on the cards for which registers are shared out
HOST_DEV constexpr int blocks_at_once(int share) { const int n = ROOM / (4 * share * (THREADS / WIDTH)); return n < 1 ? 1 : n < 4 ? n : 4; }

// The records of nram_env.machine.backends.engine.
struct Inputs {
    long long batch;
    const float *registers, *memory, *survival, *logits;  // (B, R, M), (B, M, M), (B), (B, D)
    const long long* target;                              // (B, M)
    const unsigned char* mask;                            // (B, M)
    const long long *horizon, *elapsed;                   // (B), or null if no runs are followed
    const unsigned char* finished;                        // (B)
    const float* output;                                  // (B, M, M)
};
struct Outputs {
    float *registers, *memory, *survival, *entropy, *halting_entropy, *log_likelihood;
    float *halting, *zero_probs, *output;  // (B), (B, R), (B, M, M)
    long long* elapsed;
    unsigned char* finished;
};
struct Gradients {  // of the outputs, any of which may be null, and of the inputs
    const float *new_registers, *new_memory, *new_survival, *entropy, *halting_entropy, *log_likelihood, *halting, *zero_probs;
    float *registers, *memory, *survival, *logits;  // the first two may be null
};
struct Step {
    Inputs in;
    Outputs out;
    Gradients d;
    float log_floor, floor, limit;
    int rescale;
};

struct Row {
    long long e;
    Lane l;
    MEMBER Row(const Step& f, float* shared, int share) {
        const int local = threadIdx.x / WIDTH;
        const long long place = (long long)blockIdx.x * (blockDim.x / WIDTH) + local;
        e = place < f.in.batch ? place : f.in.batch - 1;
        l = Lane{(int)threadIdx.x % WIDTH, shared + local * share};
    }
};
DEV void load_registers(Columns v[V], const Step& f, const Row& at) {
#pragma unroll
    for (int r = 0; r < R; ++r) load_row(v[r], f.in.registers + (at.e * R + r) * M, at.l.g);
}
DEV void load_logits(const Step& f, const Row& at) {
    for (int k = at.l.g; k < D; k += WIDTH) at.l.at[PACKED + k] = f.in.logits[at.e * D + k];
    if (SCORED) note_wanted(at.l, f.in.target + at.e * M, f.in.mask + at.e * M);
    __syncwarp();
}
// Whether the run ends with this timestep, given what is left of its survival.
DEV bool run_ends(const Step& f, long long e, float survival) { return f.in.elapsed[e] + !f.in.finished[e] >= f.in.horizon[e] || survival < f.floor; }

KERNEL(timestep_forward, Step, THREADS, blocks_at_once(FORWARD_SHARE)) {
    SHARED(shared);
    const Row at(f, shared, FORWARD_SHARE);
    const Lane l = at.l;
    const long long e = at.e;
    const bool follows = f.in.horizon, finished = follows && f.in.finished[e];
    float v[V][COLUMNS];
    Played memory;
    load_registers(v, f, at);
    memory.open(f.in.memory + e * M * M);
#pragma unroll
    for (int x = 0; x < M; ++x) { Columns row; load_row(row, f.in.memory + (e * M + x) * M, l.g); memory.keep(x, row); }
    load_logits(f, at);
    const float entropy = sum_lanes(soften(l)), logit = l.at[PACKED + K], before = f.in.survival[e];
    __syncwarp();
    forward_gates<0>(l, v, memory, false);
    Columns fresh[R], scale;
    forward_registers(l, fresh, v);
    float rows[WIDTH * COLUMNS], likelihood = 0;
#pragma unroll
    for (int x = 0; x < WIDTH * COLUMNS; ++x) rows[x] = 0;
#pragma unroll
    for (int x = 0; x < M; ++x) {
        Columns cells;
        row_after<WRITES>(l, x, cells, v, memory);
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) {
            rows[x] += cells[i];
            if (SCORED && wanted_at(l, x) == i) likelihood += fast_log(cells[i] < f.log_floor ? f.log_floor : cells[i]);
        }
        if (SCORED && l.g == 0 && wanted_at(l, x) == OUTSIDE) likelihood += fast_log(f.log_floor);
    }
    likelihood = sum_lanes(likelihood);
    sum_rows(scale, rows, l.g);
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) scale[i] = f.rescale ? 1.0f / scale[i] : 1.0f;
    put(l, SINGLE, scale);
    float survival = before * (1.0f - sigmoid(logit));
    const bool ends = follows && run_ends(f, e, survival);
    if (ends) survival = 0;
    const float halting = before - survival;
#pragma unroll
    for (int x = 0; x < M; ++x) {
        Columns cells, out;
        row_after<WRITES>(l, x, cells, v, memory);
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) cells[i] *= l.at[SINGLE + x];
        if (finished) load_row(cells, f.in.memory + (e * M + x) * M, l.g);
        store_row(f.out.memory + (e * M + x) * M, cells, l.g);
        if (follows) {
            load_row(out, f.in.output + (e * M + x) * M, l.g);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) out[i] += halting * cells[i];
            store_row(f.out.output + (e * M + x) * M, out, l.g);
        }
    }
#pragma unroll
    for (int r = 0; r < R; ++r) {
        const float sum = sum_row(fresh[r]), by = f.rescale ? 1.0f / sum : 1.0f;
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) fresh[r][i] = finished ? v[r][i] : fresh[r][i] * by;
        store_row(f.out.registers + (e * R + r) * M, fresh[r], l.g);
        if (follows && l.g == 0) f.out.zero_probs[e * R + r] = fresh[r][0];
    }
    if (l.g == 0) {
        f.out.survival[e] = survival, f.out.log_likelihood[e] = likelihood;
        f.out.entropy[e] = finished ? 0.0f : entropy, f.out.halting_entropy[e] = finished ? 0.0f : halting_entropy_of(logit);
        if (follows) f.out.halting[e] = halting, f.out.elapsed[e] = f.in.elapsed[e] + !finished, f.out.finished[e] = ends;
    }
}

DEV float upstream(const float* d, long long e) { return d ? d[e] : 0.0f; }
DEV void upstream_row(Columns out, const float* d, long long row, int g) {
    fill(out, 0);
    if (d) load_row(out, d + row * M, g);
}
DEV void upstream_register(Columns out, const Step& f, const Row& at, int r) {
    upstream_row(out, f.d.new_registers, at.e * R + r, at.l.g);
    if (at.l.g == 0) out[0] += upstream(f.d.zero_probs, at.e * R + r);
}

// A run that had finished hands its state's gradient through; only the score of its circuit has one for the logits.
KERNEL(timestep_backward, Step, THREADS, blocks_at_once(BACKWARD_SHARE)) {
    SHARED(shared);
    const Row at(f, shared, BACKWARD_SHARE);
    const Lane l = at.l;
    const long long e = at.e;
    const bool follows = f.in.horizon, finished = follows && f.in.finished[e];
    Columns v[V], d_v[V], d_registers[R];
    Learned cells;
    load_registers(v, f, at);
    cells.keep_in(l.at + GRADIENT), cells.open(f.in.memory + e * M * M, l);
    load_logits(f, at);
    soften(l);
    __syncwarp();
    forward_gates<0>(l, v, cells, false);
    keep_values(l, v);
#pragma unroll
    for (int j = 0; j < V; ++j) fill(d_v[j], 0);
#pragma unroll
    for (int r = 0; r < R; ++r) {
        fill(d_registers[r], 0);
        if (!finished) upstream_register(d_registers[r], f, at, r);
        clip(d_registers[r], f.limit);
    }
    const float d_likelihood = upstream(f.d.log_likelihood, e);
#pragma unroll
    for (int x = 0; x < M; ++x) {
        Columns d, after;
        upstream_row(d, finished ? nullptr : f.d.new_memory, e * M + x, l.g);
        if (SCORED && f.d.log_likelihood) {
            row_after<WRITES>(l, x, after, v, cells);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) if (wanted_at(l, x) == i && !(after[i] < f.log_floor)) d[i] += d_likelihood / after[i];
        }
        cells.give(x, d, l);
    }
    backward_registers(l, d_registers, d_v);
    backward_gates<Q - 1>(l, v, cells, d_v, f.limit, false);
    __syncwarp();
#pragma unroll
    for (int r = 0; r < R; ++r) {
        Columns through;
        fill(through, 0);
        if (finished) upstream_register(through, f, at, r);
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) through[i] += d_v[r][i];
        if (f.d.registers) store_row(f.d.registers + (e * R + r) * M, through, l.g);
    }
    if (f.d.memory)
#pragma unroll
        for (int x = 0; x < M; ++x) {
            Columns d, through;
            cells.take(x, d, l);
            upstream_row(through, finished ? f.d.new_memory : nullptr, e * M + x, l.g);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) d[i] += through[i];
            store_row(f.d.memory + (e * M + x) * M, d, l.g);
        }
    soften_backward(l, finished ? 0.0f : upstream(f.d.entropy, e));
    const float logit = l.at[PACKED + K], stop = sigmoid(logit), stay = 1.0f - stop, before = f.in.survival[e];
    const float d_halting = upstream(f.d.halting, e);
    const float d_left = follows && run_ends(f, e, before * stay) ? 0.0f : upstream(f.d.new_survival, e) - d_halting;
    const float d_entropy = finished ? 0.0f : upstream(f.d.halting_entropy, e);
    __syncwarp();
    if (l.g == 0) {
        f.d.survival[e] = d_left * stay + d_halting;
        l.at[PACKED + K] = -(d_left * before + d_entropy * logit) * stop * stay;
    }
    __syncwarp();
    for (int k = l.g; k < D; k += WIDTH) f.d.logits[e * D + k] = l.at[PACKED + k];
}

struct Needs { int* needs; };
KERNEL(timestep_needs, Needs, 32, 1) {
    if (threadIdx.x == 0) f.needs[0] = WIDTH, f.needs[1] = 4 * FORWARD_SHARE, f.needs[2] = 4 * BACKWARD_SHARE;
}
