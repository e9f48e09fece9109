// One timestep of one example by WIDTH neighbouring threads, lanes, each with COLUMNS columns of every distribution.
//
// Specialised when it is compiled: MEMORY (M), REGISTERS (R), GATE_LIST (numbers of the gates, in order). What lanes tell
// each other goes through the example's share of shared memory, `Lane::at`, or through shuffles.
#pragma once
#include "gates.cuh"

constexpr int M = MEMORY, R = REGISTERS, WIDTH = M <= 8 ? 8 : M <= 16 ? 16 : 32, COLUMNS = (M + WIDTH - 1) / WIDTH;
constexpr int GATES[] = {GATE_LIST}, Q = sizeof(GATES) / sizeof(int), V = R + Q;

// Which selectors there are and where they lie in an action, as nram_env.machine.layout has it.
HOST_DEV constexpr int gate_at(int value) { return value < R ? READ : GATES[value - R]; }  // registers are dense, as READ is
HOST_DEV constexpr int first_selector(int position) { int n = 0; for (int i = 0; i < position; ++i) n += arity(GATES[i]); return n; }
constexpr int ARGUMENTS = first_selector(Q), S = ARGUMENTS + R;
HOST_DEV constexpr int gate_of(int s) { int g = 0; while (g < Q && first_selector(g) + arity(GATES[g]) <= s) ++g; return g; }
HOST_DEV constexpr int size_of(int s) { return s >= ARGUMENTS ? V : R + gate_of(s); }
HOST_DEV constexpr int start_of(int s) { int n = 0; for (int i = 0; i < s; ++i) n += size_of(i); return n; }
constexpr int K = start_of(S), D = K + 1;  // K is the place of the halting logit
HOST_DEV constexpr int writes_before(int position) { int n = 0; for (int i = 0; i < position; ++i) n += GATES[i] == WRITE; return n; }
constexpr int WRITES = writes_before(Q);
HOST_DEV constexpr int write_position(int w) { int i = 0; while (GATES[i] != WRITE || writes_before(i) < w) ++i; return i; }
HOST_DEV constexpr int dense_rank(int j) { int n = 0; for (int i = 0; i < j; ++i) n += !is_constant(gate_at(i)) && !is_pair(gate_at(i)); return n; }
HOST_DEV constexpr int pair_rank(int j) { int n = 0; for (int i = 0; i < j; ++i) n += is_pair(gate_at(i)); return n; }

// The example's share of shared memory, in floats. Rows of selectors are an odd number of float4 apart.
HOST_DEV constexpr int fours(int n) { return (n + 3) / 4 * 4; }
HOST_DEV constexpr int odd_fours(int n) { return 4 * ((n + 3) / 4 | 1); }
constexpr int ROW = odd_fours(V > M ? V : M), CELLS = fours(M);
constexpr int PACKED = 0;                                            // D logits
constexpr int ROWS = fours(D);                                       // S rows: probabilities, then gradients of what they chose
constexpr int TWICE = ROWS + S * ROW;                                // a distribution, twice
constexpr int SINGLE = TWICE + fours(WIDTH * COLUMNS + M) + 4;       // a distribution
constexpr int POINTERS = SINGLE + CELLS;                             // the first argument of every WRITE
constexpr int WANTED = POINTERS + WRITES * CELLS;                    // the wanted value of every cell, or -1; see OUTSIDE
constexpr int MACHINE_FORWARD = WANTED + CELLS;
constexpr int VALUES = MACHINE_FORWARD;                              // dense ones of registers and gates' outputs
constexpr int PAIRS = VALUES + dense_rank(V) * CELLS;                // and the two numbers of the others
constexpr int MACHINE_BACKWARD = PAIRS + fours(2 * pair_rank(V));
// Rounds a share up so that the examples of a warp lie in different banks.
HOST_DEV constexpr int spread(int n) { n = fours(n); while (n % 32 != WIDTH % 32) n += 4; return n; }

struct Table { int2 at[S]; };
HOST_DEV constexpr Table make_table() { Table t{}; for (int s = 0; s < S; ++s) { t.at[s].x = start_of(s); t.at[s].y = size_of(s); } return t; }
__constant__ Table TABLE = make_table();

template <int I> struct Constant { static constexpr int value = I; };
template <int I, int N, class F> DEV void each(F f) { if constexpr (I < N) { f(Constant<I>{}); each<I + 1, N>(f); } }

DEV float part(const float4& v, int q) { return q == 0 ? v.x : q == 1 ? v.y : q == 2 ? v.z : v.w; }

struct Lane {
    int g;      // which of WIDTH
    float* at;  // the example's share
    MEMBER int column(int i) const { return g * COLUMNS + i; }
};

// ---- rows of numbers and sums over lanes ---------------------------------------------------------------------------
typedef float Columns[COLUMNS];

DEV void fill(Columns v, float value) {
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) v[i] = value;
}
DEV void copy(Columns to, const Columns from) {
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) to[i] = from[i];
}
constexpr bool BY_TWO = COLUMNS == 2 && M % 2 == 0;
DEV void load_row(Columns out, const float* from, int g) {
    if constexpr (BY_TWO) {
        const float2 v = g * 2 < M ? *(const float2*)(from + g * 2) : float2{0, 0};
        out[0] = v.x, out[COLUMNS - 1] = v.y;
    } else {
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) out[i] = g * COLUMNS + i < M ? from[g * COLUMNS + i] : 0.0f;
    }
}
DEV void store_row(float* to, const Columns v, int g) {
    if constexpr (BY_TWO) {
        if (g * 2 < M) *(float2*)(to + g * 2) = float2{v[0], v[COLUMNS - 1]};
    } else {
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) if (g * COLUMNS + i < M) to[g * COLUMNS + i] = v[i];
    }
}
DEV void put(Lane l, int place, const Columns v) { __syncwarp(); store_row(l.at + place, v, l.g); __syncwarp(); }

DEV float sum_lanes(float x) {
#pragma unroll
    for (int o = 1; o < WIDTH; o <<= 1) x += __shfl_xor_sync(FULL, x, o, WIDTH);
    return x;
}
DEV float sum_row(const Columns v) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) sum += v[i];
    return sum_lanes(sum);
}
// out[c] = sum of a[j] over j < c
DEV void sums_below(Columns out, const Columns a, int g) {
    float run = 0;
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) { out[i] = run; run += a[i]; }
#pragma unroll
    for (int o = 1; o < WIDTH; o <<= 1) { const float t = __shfl_up_sync(FULL, run, o, WIDTH); if (g >= o) run += t; }
    run = __shfl_up_sync(FULL, run, 1, WIDTH);
    if (g == 0) run = 0;
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) out[i] += run;
}
// out[c] = sum of a[j] over j > c
DEV void sums_above(Columns out, const Columns a, int g) {
    float run = 0;
#pragma unroll
    for (int i = COLUMNS - 1; i >= 0; --i) { out[i] = run; run += a[i]; }
#pragma unroll
    for (int o = 1; o < WIDTH; o <<= 1) { const float t = __shfl_down_sync(FULL, run, o, WIDTH); if (g + o < WIDTH) run += t; }
    run = __shfl_down_sync(FULL, run, 1, WIDTH);
    if (g == WIDTH - 1) run = 0;
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) out[i] += run;
}
// Sums rows over the lanes; a lane keeps those of the rows that are its columns.
DEV void sum_rows(Columns out, float rows[WIDTH * COLUMNS], int g) {
#pragma unroll
    for (int h = WIDTH / 2, n = WIDTH * COLUMNS / 2; h >= 1; h /= 2, n /= 2) {
        const bool up = g & h;
#pragma unroll
        for (int r = 0; r < WIDTH * COLUMNS / 2; ++r)
            if (r < n) {
                const float send = up ? rows[r] : rows[r + n], keep = up ? rows[r + n] : rows[r];
                rows[r] = keep + __shfl_xor_sync(FULL, send, h, WIDTH);
            }
    }
    copy(out, rows);
}
DEV void clip(Columns v, float limit) {
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) v[i] = clipped(v[i], limit);
}

// ---- arithmetic on distributions -----------------------------------------------------------------------------------
// out[c] = sum over k of w[k] * row[c + SIGN * k], modulo M
template <int SIGN> DEV void convolve(Lane l, Columns out, const Columns w, const Columns row) {
    float* twice = l.at + TWICE;
    __syncwarp();
    store_row(l.at + SINGLE, w, l.g);
    store_row(twice, row, l.g);
    if constexpr (M % 2 == 0) store_row(twice + M, row, l.g);
    else {
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) if (l.column(i) < M) twice[M + l.column(i)] = row[i];
    }
    __syncwarp();
    const float* base = twice + l.g * COLUMNS;
    float window[M + COLUMNS];
    if constexpr (BY_TWO) {
#pragma unroll
        for (int i = 0; i < (M + COLUMNS) / 2; ++i) { const float2 v = ((const float2*)base)[i]; window[2 * i] = v.x, window[2 * i + 1] = v.y; }
    } else {
        constexpr int from = SIGN > 0 ? 0 : 1;  // the last or the first is not used
        window[SIGN > 0 ? M + COLUMNS - 1 : 0] = 0;
#pragma unroll
        for (int i = 0; i < M + COLUMNS - 1; ++i) window[i + from] = base[i + from];
    }
    fill(out, 0);
#pragma unroll
    for (int k4 = 0; k4 < CELLS / 4; ++k4) {
        const float4 weights = ((const float4*)(l.at + SINGLE))[k4];
#pragma unroll
        for (int q = 0; q < 4; ++q)
            if (k4 * 4 + q < M) {
#pragma unroll
                for (int i = 0; i < COLUMNS; ++i) out[i] += part(weights, q) * window[SIGN > 0 ? i + k4 * 4 + q : i + M - k4 * 4 - q];
            }
    }
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) out[i] = l.column(i) < M ? out[i] : 0.0f;
}
// out[c] = row[c - SHIFT], modulo M, for a shift of 1 or -1
template <int SHIFT> DEV void rotate(Lane l, Columns out, const Columns row) {
    put(l, SINGLE, row);
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) {
        const int c = l.column(i), from = SHIFT > 0 ? (c == 0 ? M - 1 : c - 1) : (c == M - 1 ? 0 : c + 1);
        out[i] = c < M ? l.at[SINGLE + from] : 0.0f;
    }
}
template <int GATE> DEV void compare(Lane l, Columns out, const Columns a, const Columns b) {
    Columns a_below, b_below;
    float zero = 0, one = 0;
    sums_below(a_below, a, l.g), sums_below(b_below, b, l.g);
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) {
        const float less = a_below[i] * b[i], equal = a[i] * b[i], greater = a[i] * b_below[i];
        zero += GATE == LESS ? greater + equal : GATE == LESS_EQUAL ? greater : less + greater;
        one += GATE == LESS ? less : GATE == LESS_EQUAL ? less + equal : equal;
    }
    zero = sum_lanes(zero), one = sum_lanes(one);
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) out[i] = l.column(i) == 0 ? zero : l.column(i) == 1 ? one : 0.0f;
}
// Of the larger; of the smaller if GATE is MIN, with "above" for "below".
template <int GATE> DEV void extreme(Lane l, Columns out, const Columns a, const Columns b) {
    Columns a_before, b_before;
    if constexpr (GATE == MAX) sums_below(a_before, a, l.g), sums_below(b_before, b, l.g);
    else sums_above(a_before, a, l.g), sums_above(b_before, b, l.g);
#pragma unroll
    for (int i = 0; i < COLUMNS; ++i) out[i] = a[i] * (b_before[i] + b[i]) + a_before[i] * b[i];
}

// ---- selectors -----------------------------------------------------------------------------------------------------
constexpr int ROUNDS = (S + WIDTH - 1) / WIDTH;  // the longest selectors first, WIDTH at a time, one to a lane
HOST_DEV constexpr int longest_of(int round) { return size_of(S - 1 - round * WIDTH); }

// Softmax of all selectors into their rows. Returns the lane's share of the entropy.
DEV float soften(Lane l) {
    float entropy = 0;
    each<0, ROUNDS>([&](auto at_round) {
        constexpr int round = decltype(at_round)::value, longest = longest_of(round);
        const int s = S - 1 - round * WIDTH - l.g;
        const int2 place = TABLE.at[s < 0 ? 0 : s];
        const int start = place.x, n = s < 0 ? 0 : place.y;
        float x[fours(longest)], top = -1e30f, total = 0, moment = 0;
#pragma unroll
        for (int k = 0; k < fours(longest); ++k) { x[k] = k < n ? l.at[PACKED + start + k] : -1e30f; top = fmaxf(top, x[k]); }
#pragma unroll
        for (int k = 0; k < fours(longest); ++k) { const float d = x[k] - top, w = k < n ? fast_exp(d) : 0.0f; x[k] = w; total += w; moment += k < n ? w * d : 0.0f; }
        if (s >= 0) {
            const float scale = 1.0f / total;
            entropy += fast_log(total) - moment * scale;
#pragma unroll
            for (int k = 0; k < fours(longest); k += 4)
                *(float4*)(l.at + ROWS + s * ROW + k) = float4{x[k] * scale, x[k + 1] * scale, x[k + 2] * scale, x[k + 3] * scale};
        }
    });
    return entropy;
}
template <int SELECTOR> DEV void select(Lane l, Columns out, const Columns v[V]) {
    constexpr int n = size_of(SELECTOR);
    const float4* row = (const float4*)(l.at + ROWS + SELECTOR * ROW);
    fill(out, 0);
#pragma unroll
    for (int j4 = 0; j4 < (n + 3) / 4; ++j4) {
        const float4 p = row[j4];
#pragma unroll
        for (int q = 0; q < 4; ++q) if (j4 * 4 + q < n) {
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) out[i] += part(p, q) * v[j4 * 4 + q][i];
        }
    }
}
// Passes the gradient of what was selected on to the values. The selector's row then takes it: see `soften_backward`.
template <int SELECTOR> DEV void select_backward(Lane l, const Columns d_out, Columns d_v[V]) {
    constexpr int n = size_of(SELECTOR);
    const float4* row = (const float4*)(l.at + ROWS + SELECTOR * ROW);
    each<0, (n + 3) / 4>([&](auto at) {
        constexpr int j4 = decltype(at)::value;
        const float4 p = row[j4];
        each<0, 4>([&](auto within) {
            constexpr int q = decltype(within)::value, j = j4 * 4 + q;
            if constexpr (j < n) if constexpr (!is_constant(gate_at(j))) {
#pragma unroll
                for (int i = 0; i < COLUMNS; ++i) d_v[j][i] += part(p, q) * d_out[i];
            }
        });
    });
}
template <int SELECTOR> DEV void keep_gradient(Lane l, const Columns d_out) { store_row(l.at + ROWS + SELECTOR * ROW, d_out, l.g); }

// Values that selectors chose from, where `soften_backward` finds them.
DEV void keep_values(Lane l, const Columns v[V]) {
    each<0, V>([&](auto at) {
        constexpr int j = decltype(at)::value, gate = gate_at(j);
        if constexpr (is_pair(gate)) {
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) if (l.column(i) < 2) l.at[PAIRS + 2 * pair_rank(j) + l.column(i)] = v[j][i];
        } else if constexpr (!is_constant(gate)) store_row(l.at + VALUES + dense_rank(j) * CELLS, v[j], l.g);
    });
}
// Gradients of the logits, in their place, from those of what the selectors chose, in their rows.
DEV void soften_backward(Lane l, float d_entropy) {
    each<0, ROUNDS>([&](auto at_round) {
        constexpr int round = decltype(at_round)::value, longest = longest_of(round);
        const int s = S - 1 - round * WIDTH - l.g;
        const int2 place = TABLE.at[s < 0 ? 0 : s];
        const int start = place.x, n = s < 0 ? 0 : place.y;
        float x[longest], d_p[longest], top = -1e30f, total = 0;
#pragma unroll
        for (int k = 0; k < longest; ++k) { x[k] = k < n ? l.at[PACKED + start + k] : -1e30f; top = fmaxf(top, x[k]); }
#pragma unroll
        for (int k = 0; k < longest; ++k) total += k < n ? fast_exp(x[k] - top) : 0.0f;
        const float log_total = top + fast_log(total);
        float d[CELLS];
        const float* row = l.at + ROWS + (s < 0 ? 0 : s) * ROW;
#pragma unroll
        for (int c = 0; c < CELLS; c += 4) { const float4 f = *(const float4*)(row + c); d[c] = f.x, d[c + 1] = f.y, d[c + 2] = f.z, d[c + 3] = f.w; }
        each<0, longest>([&](auto at_j) {
            constexpr int j = decltype(at_j)::value, gate = gate_at(j);
            if constexpr (is_constant(gate)) d_p[j] = d[(gate - ZERO) % M];
            else if constexpr (is_pair(gate)) d_p[j] = d[0] * l.at[PAIRS + 2 * pair_rank(j)] + d[1] * l.at[PAIRS + 2 * pair_rank(j) + 1];
            else {
                const float* value = l.at + VALUES + dense_rank(j) * CELLS;
                float sum = 0;
#pragma unroll
                for (int c = 0; c < M; c += 4) {
                    const float4 f = *(const float4*)(value + c);
#pragma unroll
                    for (int q = 0; q < 4; ++q) if (c + q < M) sum += d[c + q] * part(f, q);
                }
                d_p[j] = sum;
            }
        });
        float mean = 0;
#pragma unroll
        for (int k = 0; k < longest; ++k) {
            const float log_p = x[k] - log_total, p = k < n ? fast_exp(log_p) : 0.0f;
            x[k] = p;
            d_p[k] = k < n ? d_p[k] - d_entropy * log_p : 0.0f;
            mean += p * d_p[k];
        }
#pragma unroll
        for (int k = 0; k < longest; ++k) if (k < n) l.at[PACKED + start + k] = x[k] * (d_p[k] - mean);
    });
}

// ---- memory --------------------------------------------------------------------------------------------------------
// `cells` gives the rows of memory before the timestep: load(x, out). What the first `COUNT` WRITEs have made of row x:
template <int COUNT, class Cells> DEV void row_after(Lane l, int x, Columns out, const Columns v[V], const Cells& cells) {
    cells.load(x, out, l);
    each<0, COUNT>([&](auto at) {
        constexpr int w = decltype(at)::value;
        const float weight = l.at[POINTERS + w * CELLS + x];
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) out[i] = (1.0f - weight) * out[i] + weight * v[R + write_position(w)][i];
    });
}
template <int COUNT, class Cells> DEV void read_memory(Lane l, Columns out, const Columns pointer, const Columns v[V], const Cells& cells) {
    put(l, SINGLE, pointer);
    fill(out, 0);
#pragma unroll
    for (int x4 = 0; x4 < CELLS / 4; ++x4) {
        const float4 w = ((const float4*)(l.at + SINGLE))[x4];
#pragma unroll
        for (int q = 0; q < 4; ++q) if (x4 * 4 + q < M) {
            Columns row;
            row_after<COUNT>(l, x4 * 4 + q, row, v, cells);
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) out[i] += part(w, q) * row[i];
        }
    }
}

// Memory before a timestep, in registers where it has room there, and, while learning, the gradient of memory behind it.
constexpr bool IN_REGISTERS = M * COLUMNS <= 24;
constexpr int GRADIENT_FLOATS = IN_REGISTERS ? 0 : M * CELLS;  // of every example's share, at which it is kept
struct PlayedInRegisters {
    float m[M][COLUMNS];
    MEMBER void open(const float*) {}
    MEMBER void keep(int x, const Columns row) { copy(m[x], row); }
    MEMBER void load(int x, Columns out, Lane) const { copy(out, m[x]); }
};
struct PlayedOnTape {
    const float* m;
    MEMBER void open(const float* tape) { m = tape; }
    MEMBER void keep(int, const Columns) {}
    MEMBER void load(int x, Columns out, Lane l) const { load_row(out, m + x * M, l.g); }
};
struct LearnedInRegisters {
    static constexpr int TOGETHER = M;
    float m[M][COLUMNS], d[M][COLUMNS];
    MEMBER void keep_in(float*) {}
    MEMBER void open(const float* tape, Lane l) {
#pragma unroll
        for (int x = 0; x < M; ++x) load_row(m[x], tape + x * M, l.g);
    }
    MEMBER void load(int x, Columns out, Lane) const { copy(out, m[x]); }
    MEMBER void take(int x, Columns out, Lane) const { copy(out, d[x]); }
    MEMBER void give(int x, const Columns from, Lane) { copy(d[x], from); }
};
struct LearnedInShares {
    static constexpr int TOGETHER = 8;
    const float* m;
    float* d;
    MEMBER void keep_in(float* at) { d = at; }
    MEMBER void open(const float* tape, Lane) { m = tape; }
    MEMBER void load(int x, Columns out, Lane l) const { load_row(out, m + x * M, l.g); }
    MEMBER void take(int x, Columns out, Lane l) const { load_row(out, d + x * CELLS, l.g); }
    MEMBER void give(int x, const Columns from, Lane l) { store_row(d + x * CELLS, from, l.g); }
};
template <bool CHOICE, class A, class B> struct Either { typedef A type; };
template <class A, class B> struct Either<false, A, B> { typedef B type; };
typedef Either<IN_REGISTERS, PlayedInRegisters, PlayedOnTape>::type Played;
typedef Either<IN_REGISTERS, LearnedInRegisters, LearnedInShares>::type Learned;

constexpr int OUTSIDE = -2;  // stands for a wanted value that is not in 0..M-1
DEV int wanted_at(Lane l, int x) { return ((const int*)(l.at + WANTED))[x] - l.g * COLUMNS; }  // which of the lane's columns
DEV void note_wanted(Lane l, const long long* target, const unsigned char* mask) {
    for (int x = l.g; x < M; x += WIDTH) {
        const bool inside = target[x] >= 0 && target[x] < M;
        ((int*)(l.at + WANTED))[x] = !mask[x] ? -1 : inside ? (int)target[x] : OUTSIDE;
    }
}

// ---- gates ---------------------------------------------------------------------------------------------------------
// Fills v[R...] from v[0..R-1]; the pointers of a run that has finished are 0, so that it writes nothing.
template <int I, class Cells> DEV void forward_gates(Lane l, Columns v[V], const Cells& cells, bool finished) {
    if constexpr (I < Q) {
        constexpr int gate = GATES[I], s = first_selector(I), n = arity(gate);
        float* out = v[R + I];
        Columns a, b;
        if constexpr (n > 0) select<s>(l, a, v);
        if constexpr (n > 1) select<s + 1>(l, b, v);
        if constexpr (is_constant(gate)) {
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) out[i] = l.column(i) == (gate - ZERO) % M ? 1.0f : 0.0f;
        }
        if constexpr (gate == READ) read_memory<writes_before(I)>(l, out, a, v, cells);
        if constexpr (gate == INC) rotate<1>(l, out, a);
        if constexpr (gate == DEC) rotate<-1>(l, out, a);
        if constexpr (gate == ADD) convolve<-1>(l, out, b, a);
        if constexpr (gate == SUB) convolve<1>(l, out, b, a);
        if constexpr (is_pair(gate)) compare<gate>(l, out, a, b);
        if constexpr (gate == MIN || gate == MAX) extreme<gate>(l, out, a, b);
        if constexpr (gate == WRITE) {
            copy(out, b);
            if (finished) fill(a, 0);
            put(l, POINTERS + writes_before(I) * CELLS, a);
        }
        forward_gates<I + 1>(l, v, cells, finished);
    }
}
DEV void forward_registers(Lane l, Columns out[R], const Columns v[V]) {
    each<0, R>([&](auto at) { constexpr int r = decltype(at)::value; select<ARGUMENTS + r>(l, out[r], v); });
}

// READ and WRITE: gradients of the pointer and, of WRITE, of the value. `cells` also keeps the gradient of memory as it is
// behind the gate, and takes the one before it: take(x, out) and give(x, from).
template <int I, class Cells>
DEV void memory_backward(Lane l, const Columns v[V], Cells& cells, const Columns pointer, Columns d_out, Columns d_pointer, Columns d_value, float limit, bool finished) {
    constexpr bool reads = GATES[I] == READ;
    constexpr int together = Cells::TOGETHER;
    float rows[WIDTH * COLUMNS];
#pragma unroll
    for (int x = 0; x < WIDTH * COLUMNS; ++x) rows[x] = 0;
    put(l, SINGLE, pointer);
    if constexpr (!reads) copy(d_value, d_out);
    each<0, (M + together - 1) / together>([&](auto at) {
        constexpr int first = decltype(at)::value * together, count = M - first < together ? M - first : together;
        Columns before[count], d[count];
#pragma unroll
        for (int k = 0; k < count; ++k) row_after<writes_before(I)>(l, first + k, before[k], v, cells), cells.take(first + k, d[k], l);
#pragma unroll
        for (int k = 0; k < count; ++k) {
            const float w = finished ? 0.0f : l.at[SINGLE + first + k];
#pragma unroll
            for (int i = 0; i < COLUMNS; ++i) {
                if constexpr (reads) rows[first + k] += d_out[i] * before[k][i], d[k][i] += w * d_out[i];
                else {
                    const float c = clipped(d[k][i], limit);
                    rows[first + k] += c * (v[R + I][i] - before[k][i]);
                    d_value[i] += w * c;
                    d[k][i] = finished ? d[k][i] : (1.0f - w) * c;
                }
            }
        }
#pragma unroll
        for (int k = 0; k < count; ++k) cells.give(first + k, d[k], l);
    });
    sum_rows(d_pointer, rows, l.g);
}
// From the last gate to the first: gradients of all values, d_v, and of memory, from those of the gates' outputs.
template <int I, class Cells> DEV void backward_gates(Lane l, const Columns v[V], Cells& cells, Columns d_v[V], float limit, bool finished) {
    if constexpr (I >= 0) {
        constexpr int gate = GATES[I], s = first_selector(I), n = arity(gate);
        if constexpr (!is_constant(gate)) {
            Columns a, b, d_a, d_b;
            float* d_out = d_v[R + I];
            select<s>(l, a, v);
            if constexpr (gate == WRITE) copy(b, v[R + I]);
            else if constexpr (n > 1) select<s + 1>(l, b, v);
            fill(d_a, 0), fill(d_b, 0);
            clip(d_out, limit);
            if constexpr (gate == READ || gate == WRITE) memory_backward<I>(l, v, cells, a, d_out, d_a, d_b, limit, finished);
            if constexpr (gate == INC) rotate<-1>(l, d_a, d_out);
            if constexpr (gate == DEC) rotate<1>(l, d_a, d_out);
            if constexpr (gate == ADD) convolve<1>(l, d_a, b, d_out), convolve<1>(l, d_b, a, d_out);
            if constexpr (gate == SUB) convolve<-1>(l, d_a, b, d_out), convolve<1>(l, d_b, d_out, a);
            if constexpr (is_pair(gate)) {
                const float zero = __shfl_sync(FULL, d_out[0], 0, WIDTH), one = __shfl_sync(FULL, d_out[COLUMNS > 1 ? 1 : 0], COLUMNS > 1 ? 0 : 1, WIDTH);
                const float less = gate == EQUAL ? zero : one, equal = gate == LESS ? zero : one, greater = zero;
                Columns a_below, b_below, a_above, b_above;
                sums_below(a_below, a, l.g), sums_below(b_below, b, l.g), sums_above(a_above, a, l.g), sums_above(b_above, b, l.g);
#pragma unroll
                for (int i = 0; i < COLUMNS; ++i) {
                    d_a[i] = greater * b_below[i] + equal * b[i] + less * b_above[i];
                    d_b[i] = less * a_below[i] + equal * a[i] + greater * a_above[i];
                }
            }
            if constexpr (gate == MIN || gate == MAX) {
                Columns a_before, b_before, by_a, by_b, later_a, later_b;
#pragma unroll
                for (int i = 0; i < COLUMNS; ++i) by_a[i] = d_out[i] * a[i], by_b[i] = d_out[i] * b[i];
                if constexpr (gate == MAX) sums_below(a_before, a, l.g), sums_below(b_before, b, l.g), sums_above(later_a, by_a, l.g), sums_above(later_b, by_b, l.g);
                else sums_above(a_before, a, l.g), sums_above(b_before, b, l.g), sums_below(later_a, by_a, l.g), sums_below(later_b, by_b, l.g);
#pragma unroll
                for (int i = 0; i < COLUMNS; ++i) {
                    d_a[i] = d_out[i] * (b_before[i] + b[i]) + later_b[i];
                    d_b[i] = d_out[i] * a_before[i] + by_a[i] + later_a[i];
                }
            }
            if constexpr (M != WIDTH * COLUMNS) {
#pragma unroll
                for (int i = 0; i < COLUMNS; ++i) if (l.column(i) >= M) d_a[i] = d_b[i] = 0.0f;
            }
            clip(d_a, limit);
            select_backward<s>(l, d_a, d_v);
            if constexpr (n > 1) { clip(d_b, limit); select_backward<s + 1>(l, d_b, d_v); }
            __syncwarp();
            keep_gradient<s>(l, d_a);
            if constexpr (n > 1) keep_gradient<s + 1>(l, d_b);
        }
        backward_gates<I - 1>(l, v, cells, d_v, limit, finished);
    }
}
DEV void backward_registers(Lane l, const Columns d[R], Columns d_v[V]) {
    each<0, R>([&](auto at) { constexpr int r = decltype(at)::value; select_backward<ARGUMENTS + r>(l, d[r], d_v); });
    __syncwarp();
    each<0, R>([&](auto at) { constexpr int r = decltype(at)::value; keep_gradient<ARGUMENTS + r>(l, d[r]); });
}

// ---- halting -------------------------------------------------------------------------------------------------------
DEV float sigmoid(float x) { return 1.0f / (1.0f + fast_exp(-x)); }
DEV float halting_entropy_of(float logit) { return log1pf(fast_exp(-fabsf(logit))) + fmaxf(logit, 0.0f) - logit * sigmoid(logit); }
