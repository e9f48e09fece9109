// Vectors of LANES floats: one lane is one example. Elementary functions, and transposition in and out.

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef int Integers __attribute__((vector_size(4 * LANES)));
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));

static inline Vector constant(float value) { return Vector{} + value; }

// e^x to about 1e-7, for x in -87..88 and clamped outside; NaN stays NaN (Cephes polynomial).
static inline Vector exponential(Vector x) {
    x = x < -87.0f ? constant(-87.0f) : x;
    x = x > 88.0f ? constant(88.0f) : x;
    const Vector shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer
    const Vector whole = shifted - 12582912.0f;
    const Vector rest = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    Vector sum = rest * 1.9875691500e-4f + 1.3981999507e-3f;
    sum = sum * rest + 8.3334519073e-3f;
    sum = sum * rest + 4.1665795894e-2f;
    sum = sum * rest + 1.6666665459e-1f;
    sum = sum * rest + 5.0000001201e-1f;
    sum = sum * rest * rest + rest + 1.0f;
    return sum * (Vector)(((Integers)shifted + 127) << 23);
}

// Natural logarithm of a normal positive x to about 1e-7 (Cephes polynomial).
static inline Vector logarithm(Vector x) {
    const Integers exponent = ((Integers)x - 0x3f3504f3) >> 23;
    const Vector mantissa = (Vector)((Integers)x - (exponent << 23)) - 1.0f;  // of sqrt(1/2)..sqrt(2)
    const Vector power = __builtin_convertvector(exponent, Vector);
    Vector sum = mantissa * 7.0376836292e-2f - 1.1514610310e-1f;
    sum = sum * mantissa + 1.1676998740e-1f;
    sum = sum * mantissa - 1.2420140846e-1f;
    sum = sum * mantissa + 1.4249322787e-1f;
    sum = sum * mantissa - 1.6668057665e-1f;
    sum = sum * mantissa + 2.0000714765e-1f;
    sum = sum * mantissa - 2.4999993993e-1f;
    sum = sum * mantissa + 3.3333331174e-1f;
    const Vector square = mantissa * mantissa;
    return power * 0.693359375f + (mantissa + (square * mantissa * sum - power * 2.12194440e-4f - 0.5f * square));
}

static inline void fill_zero(Vector* values, long count) {
    for (long i = 0; i < count; ++i) values[i] = Vector{};
}

static inline void clip(Vector* values, long count, float limit) {
    if (limit == __builtin_inff()) return;
    for (long i = 0; i < count; ++i) {
        const Vector low = values[i] < -limit ? constant(-limit) : values[i];
        values[i] = low > limit ? constant(limit) : low;
    }
}

#if defined(__clang__)
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (int __attribute__((vector_size(16)))){i, j, k, l})
#endif

static inline void transpose(Four rows[4]) {
    const Four a = SHUFFLE(rows[0], rows[1], 0, 4, 1, 5), b = SHUFFLE(rows[2], rows[3], 0, 4, 1, 5);
    const Four c = SHUFFLE(rows[0], rows[1], 2, 6, 3, 7), d = SHUFFLE(rows[2], rows[3], 2, 6, 3, 7);
    rows[0] = SHUFFLE(a, b, 0, 1, 4, 5);
    rows[1] = SHUFFLE(a, b, 2, 3, 6, 7);
    rows[2] = SHUFFLE(c, d, 0, 1, 4, 5);
    rows[3] = SHUFFLE(c, d, 2, 3, 6, 7);
}

// to[f] takes number f of every example; examples lie `stride` floats apart and `valid` of them exist.
// Lanes without an example repeat the last one.
static inline void load(Vector* to, const float* from, long stride, int count, int valid) {
    for (int lane = 0; lane < LANES; lane += 4) {
        const float* example[4];
        for (int k = 0; k < 4; ++k) example[k] = from + (lane + k < valid ? lane + k : valid - 1) * stride;
        int f = 0;
        for (; f + 4 <= count; f += 4) {
            Four rows[4];
            for (int k = 0; k < 4; ++k) rows[k] = *(const Four*)(example[k] + f);
            transpose(rows);
            for (int k = 0; k < 4; ++k) *(Four*)((float*)(to + f + k) + lane) = rows[k];
        }
        for (; f < count; ++f)
            for (int k = 0; k < 4; ++k) to[f][lane + k] = example[k][f];
    }
}

// The reverse of `load`; lanes without an example are dropped.
static inline void store(float* to, const Vector* from, long stride, int count, int valid) {
    for (int lane = 0; lane < valid; lane += 4) {
        const int lanes = valid - lane < 4 ? valid - lane : 4;
        int f = 0;
        for (; lanes == 4 && f + 4 <= count; f += 4) {
            Four rows[4];
            for (int k = 0; k < 4; ++k) rows[k] = *(const Four*)((const float*)(from + f + k) + lane);
            transpose(rows);
            for (int k = 0; k < 4; ++k) *(Four*)(to + (lane + k) * stride + f) = rows[k];
        }
        for (; f < count; ++f)
            for (int k = 0; k < lanes; ++k) to[(lane + k) * stride + f] = from[f][lane + k];
    }
}
