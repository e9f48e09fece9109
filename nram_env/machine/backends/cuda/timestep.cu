// One timestep of a batch, forward and backward, one example to WIDTH lanes: what nram_env.machine.backends computes.
//
// Specialised as machine.cuh says, and SCORED: whether the memory is scored against a wanted output. A lane whose example is
// not there does what the last example's does, and writes the same.
#include "machine.cuh"

constexpr int FORWARD_SHARE = spread(MACHINE_FORWARD), GRADIENT = fours(MACHINE_BACKWARD), BACKWARD_SHARE = spread(GRADIENT + GRADIENT_FLOATS);
constexpr int SHARED_LIMIT = 227 * 1024;
HOST_DEV constexpr int examples_of_a_block() { int n = 128 / WIDTH; while (n * WIDTH > 32 && n * 4 * BACKWARD_SHARE > SHARED_LIMIT) n /= 2; return n; }
constexpr int EXAMPLES = examples_of_a_block(), THREADS = EXAMPLES * WIDTH;
static_assert(4 * EXAMPLES * BACKWARD_SHARE <= SHARED_LIMIT, "too large a machine for shared memory");
HOST_DEV constexpr int blocks_at_once(int share) { const int n = SHARED_LIMIT / (4 * share * EXAMPLES); return n < 1 ? 1 : n < 4 ? n : 4; }

struct Step {
    const float *registers, *memory, *survival, *logits;  // (B, R, M), (B, M, M), (B), (B, D)
    const long long* target;                              // (B, M)
    const unsigned char* mask;                            // (B, M)
    const long long *horizon, *elapsed;                   // (B), or null if no runs are followed
    const unsigned char* finished;                        // (B)
    const float* output;                                  // (B, M, M)
    float *new_registers, *new_memory, *new_survival, *entropy, *halting_entropy, *log_likelihood;
    float *halting, *zero_probs, *new_output;             // (B), (B, R), (B, M, M)
    long long* new_elapsed;
    unsigned char* new_finished;
    const float *d_new_registers, *d_new_memory, *d_new_survival, *d_entropy, *d_halting_entropy, *d_log_likelihood;  // or null
    const float *d_halting, *d_zero_probs;
    float *d_registers, *d_memory, *d_survival, *d_logits;
    long long batch;
    int rescale;
    float log_floor, floor, limit;
};

struct Row {
    long long e;
    Lane l;
    MEMBER Row(const Step& f, float* shared, int share) {
        const int local = threadIdx.x / WIDTH;
        const long long place = (long long)blockIdx.x * EXAMPLES + local;
        e = place < f.batch ? place : f.batch - 1;
        l = Lane{(int)threadIdx.x % WIDTH, shared + local * share};
    }
};
DEV void load_registers(Columns v[V], const Step& f, const Row& at) {
#pragma unroll
    for (int r = 0; r < R; ++r) load_row(v[r], f.registers + (at.e * R + r) * M, at.l.g);
}
DEV void load_logits(const Step& f, const Row& at) {
    for (int k = at.l.g; k < D; k += WIDTH) at.l.at[PACKED + k] = f.logits[at.e * D + k];
    if (SCORED) note_wanted(at.l, f.target + at.e * M, f.mask + at.e * M);
    __syncwarp();
}
// Whether the run ends with this timestep, given what is left of its survival.
DEV bool run_ends(const Step& f, long long e, float survival) { return f.elapsed[e] + !f.finished[e] >= f.horizon[e] || survival < f.floor; }

KERNEL(timestep_forward, Step, THREADS, blocks_at_once(FORWARD_SHARE)) {
    SHARED(shared);
    const Row at(f, shared, FORWARD_SHARE);
    const Lane l = at.l;
    const long long e = at.e;
    const bool follows = f.horizon, finished = follows && f.finished[e];
    float v[V][COLUMNS];
    Played memory;
    load_registers(v, f, at);
    memory.open(f.memory + e * M * M);
#pragma unroll
    for (int x = 0; x < M; ++x) { Columns row; load_row(row, f.memory + (e * M + x) * M, l.g); memory.keep(x, row); }
    load_logits(f, at);
    const float entropy = sum_lanes(soften(l)), logit = l.at[PACKED + K], before = f.survival[e];
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
            if (SCORED && wanted_at(l, x) == i) likelihood += fast_log(fmaxf(cells[i], f.log_floor));
        }
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
        if (finished) load_row(cells, f.memory + (e * M + x) * M, l.g);
        store_row(f.new_memory + (e * M + x) * M, cells, l.g);
        if (follows) {
            load_row(out, f.output + (e * M + x) * M, l.g);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) out[i] += halting * cells[i];
            store_row(f.new_output + (e * M + x) * M, out, l.g);
        }
    }
#pragma unroll
    for (int r = 0; r < R; ++r) {
        const float sum = sum_row(fresh[r]), by = f.rescale ? 1.0f / sum : 1.0f;
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) fresh[r][i] = finished ? v[r][i] : fresh[r][i] * by;
        store_row(f.new_registers + (e * R + r) * M, fresh[r], l.g);
        if (follows && l.g == 0) f.zero_probs[e * R + r] = fresh[r][0];
    }
    if (l.g == 0) {
        f.new_survival[e] = survival, f.log_likelihood[e] = likelihood;
        f.entropy[e] = finished ? 0.0f : entropy, f.halting_entropy[e] = finished ? 0.0f : halting_entropy_of(logit);
        if (follows) f.halting[e] = halting, f.new_elapsed[e] = f.elapsed[e] + !finished, f.new_finished[e] = ends;
    }
}

DEV float upstream(const float* d, long long e) { return d ? d[e] : 0.0f; }

// A run that had finished hands its state's gradient through; only the score of its circuit has one for the logits.
KERNEL(timestep_backward, Step, THREADS, blocks_at_once(BACKWARD_SHARE)) {
    SHARED(shared);
    const Row at(f, shared, BACKWARD_SHARE);
    const Lane l = at.l;
    const long long e = at.e;
    const bool follows = f.horizon, finished = follows && f.finished[e];
    Columns v[V], d_v[V], d_registers[R];
    Learned cells;
    load_registers(v, f, at);
    cells.keep_in(l.at + GRADIENT), cells.open(f.memory + e * M * M, l);
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
        if (f.d_new_registers) load_row(d_registers[r], f.d_new_registers + (e * R + r) * M, l.g);
        if (l.g == 0) d_registers[r][0] += upstream(f.d_zero_probs, e * R + r);
        if (finished) {
            if (f.d_registers) store_row(f.d_registers + (e * R + r) * M, d_registers[r], l.g);
            fill(d_registers[r], 0);
        }
        clip(d_registers[r], f.limit);
    }
    const float d_likelihood = upstream(f.d_log_likelihood, e);
#pragma unroll
    for (int x = 0; x < M; ++x) {
        Columns d, after;
        fill(d, 0);
        if (f.d_new_memory && !finished) load_row(d, f.d_new_memory + (e * M + x) * M, l.g);
        if constexpr (SCORED) {
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
        if (finished && f.d_registers) {
            Columns through;
            load_row(through, f.d_registers + (e * R + r) * M, l.g);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) d_v[r][i] += through[i];
        }
        if (f.d_registers) store_row(f.d_registers + (e * R + r) * M, d_v[r], l.g);
    }
    if (f.d_memory)
#pragma unroll
        for (int x = 0; x < M; ++x) {
            Columns d, through;
            cells.take(x, d, l);
            fill(through, 0);
            if (f.d_new_memory && finished) load_row(through, f.d_new_memory + (e * M + x) * M, l.g);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) d[i] += through[i];
            store_row(f.d_memory + (e * M + x) * M, d, l.g);
        }
    soften_backward(l, finished ? 0.0f : upstream(f.d_entropy, e));
    const float logit = l.at[PACKED + K], stop = sigmoid(logit), stay = 1.0f - stop, before = f.survival[e];
    const float d_halting = upstream(f.d_halting, e);
    const float d_left = follows && run_ends(f, e, before * stay) ? 0.0f : upstream(f.d_new_survival, e) - d_halting;
    const float d_entropy = finished ? 0.0f : upstream(f.d_halting_entropy, e);
    __syncwarp();
    if (l.g == 0) {
        if (f.d_survival) f.d_survival[e] = d_left * stay + d_halting;
        l.at[PACKED + K] = -(d_left * before + d_entropy * logit) * stop * stay;
    }
    __syncwarp();
    for (int k = l.g; k < D; k += WIDTH) f.d_logits[e * D + k] = l.at[PACKED + k];
}

struct Shape { int* to; };
KERNEL(timestep_shape, Shape, 32, 1) {
    if (threadIdx.x == 0) f.to[0] = EXAMPLES, f.to[1] = THREADS, f.to[2] = 4 * EXAMPLES * FORWARD_SHARE, f.to[3] = 4 * EXAMPLES * BACKWARD_SHARE;
}
