// Gradient noise, clipping and Adam for one member. The noise is a function of its key and of the place of the
// number that it is added to: noise.py says which.

typedef unsigned Words __attribute__((vector_size(4 * LANES)));
typedef float Half __attribute__((vector_size(2 * LANES), aligned(4), may_alias));
typedef double Doubles __attribute__((vector_size(4 * LANES)));  // of half as many lanes

static inline Words rotate(Words x, int bits) { return x << bits | x >> (32 - bits); }

// Threefry-2x32 with 20 rounds (Salmon et al., 2011).
static inline void threefry(unsigned key0, unsigned key1, Words& x, Words& y) {
    const unsigned keys[3] = {key0, key1, key0 ^ key1 ^ 0x1BD11BDAu};
    const int bits[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
    x += keys[0], y += keys[1];
#pragma GCC unroll 5
    for (unsigned group = 0; group < 5; ++group) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) x += y, y = rotate(y, bits[group % 2][i]) ^ x;
        x += keys[(group + 1) % 3], y += keys[(group + 2) % 3] + group + 1;
    }
}

// sin(2 pi x) for x in -1/4..1/4, to about 1e-7.
static inline Vector sine_of_turns(Vector x) {
    const Vector angle = x * 6.2831853f, square = angle * angle;
    Vector sum = square * -2.3889859e-8f + 2.7525562e-6f;
    sum = sum * square - 1.9840874e-4f;
    sum = sum * square + 8.3333310e-3f;
    sum = sum * square - 1.6666667e-1f;
    return sum * square * angle + angle;
}

static inline Vector square_root(Vector x) {
    Vector root;
    for (int i = 0; i < LANES; ++i) root[i] = __builtin_sqrtf(x[i]);
    return root;
}

// Two rows of `count` standard normal numbers, by Box and Muller; whole vectors are written.
static void normal_noise(const unsigned key[2], unsigned member, long count, float* cosines, float* sines) {
    Words lane;
    for (int i = 0; i < LANES; ++i) lane[i] = i;
    for (long i = 0; i < count; i += LANES) {
        Words x = lane + (unsigned)i, y = Words{} + member;
        threefry(key[0], key[1], x, y);
        const Vector uniform = (__builtin_convertvector((Integers)(x >> 8), Vector) + 1.0f) * 0x1p-24f;
        const Vector radius = square_root(-2.0f * logarithm(uniform));
        const Vector turn = __builtin_convertvector((Integers)y, Vector) * 0x1p-33f;
        const Vector other = 0.25f - (turn < 0.0f ? -turn : turn);
        const Words sign = y << 31;
        *(Loose*)(cosines + i) = (Vector)((Words)(radius * sine_of_turns(other)) ^ sign);
        *(Loose*)(sines + i) = radius * sine_of_turns(turn);
    }
}

// In double precision, so that it is finite just where all values are.
static double sum_of_squares(const float* values, long count) {
    Doubles sums[2] = {};
    long i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int half = 0; half < 2; ++half) {
            const Doubles x = __builtin_convertvector(*(const Half*)(values + i + half * LANES / 2), Doubles);
            sums[half] += x * x;
        }
    double sum = 0;
    for (int lane = 0; lane < LANES; ++lane) sum += sums[2 * lane / LANES][lane % (LANES / 2)];
    for (; i < count; ++i) sum += (double)values[i] * values[i];
    return sum;
}

static bool finite(const float* values, long count) {
    unsigned found = 0;
    for (long i = 0; i < count; ++i) {
        unsigned bits;
        __builtin_memcpy(&bits, values + i, 4);
        found |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return !found;
}

// Adam for `count` numbers with gradient scale * gradient + deviation * noise.
static void adam(const Update& update, long member, float scale, long begin, long count, const float* noise) {
    const long place = member * update.size + begin;
    float* __restrict parameters = update.parameters + place;
    float* __restrict momentum = update.momentum + place;
    float* __restrict variance = update.variance + place;
    const float* __restrict gradient = update.gradient + place;
    const float deviation = update.deviation[member], rate = update.rate[member], epsilon = update.epsilon[member];
    const float first = 1.0f - update.first, second = update.second, rest = 1.0f - update.second;
    for (long i = 0; i < count; ++i) {
        const float g = gradient[i] * scale + noise[i] * deviation;
        momentum[i] += first * (g - momentum[i]);
        variance[i] = second * variance[i] + rest * g * g;
        parameters[i] -= rate * momentum[i] / (__builtin_sqrtf(variance[i]) + epsilon);
    }
}

// `workspace` holds N + 3 LANES floats.
static void update(const Update& all, float* workspace, long member) {
    const long half = (all.size + 1) / 2, padded = (half + LANES - 1) / LANES * LANES;
    const double squares = sum_of_squares(all.gradient + member * all.size, all.size), norm = __builtin_sqrt(squares);
    const float scale = norm > all.clip ? (float)(all.clip / norm) : 1.0f;
    normal_noise(all.key, (unsigned)member, half, workspace, workspace + padded);
    adam(all, member, scale, 0, half, workspace);
    adam(all, member, scale, half, all.size - half, workspace + padded);
    const bool sound = finite(all.parameters + member * all.size, all.size);
    all.finite[member] = sound && squares <= __DBL_MAX__;
}
