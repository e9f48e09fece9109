// One step of a population from its gradient, in place: what agents/optimiser.py says, with the noise of agents/noise.py.
// A block is a member. Its threads walk over the first half of the columns, whose noise comes with that of the second.
#include "platform.cuh"

constexpr int THREADS = 256;

struct Update {
    const float* gradient;                       // (P, N)
    float *parameters, *momentum, *variance;     // (P, N)
    const float *rate, *epsilon, *deviation;     // (P,)
    bool* finite;                                // (P,)
    long long size;                              // N
    double clip;
    unsigned key[2];
    float momentum_rest, decay, decay_rest;      // 1 - beta1, beta2 and 1 - beta2 of Adam
};

struct Noise { float first, second; };  // at columns i and i + half

DEV unsigned rotated(unsigned x, int bits) { return x << bits | x >> (32 - bits); }

// Threefry-2x32 with 20 rounds (Salmon et al., 2011), on the counter (x, y).
DEV void threefry(unsigned key0, unsigned key1, unsigned& x, unsigned& y) {
    const unsigned keys[3] = {key0, key1, key0 ^ key1 ^ 0x1BD11BDAu};
    constexpr int BITS[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
    x += keys[0], y += keys[1];
#pragma unroll
    for (int group = 0; group < 5; ++group) {
#pragma unroll
        for (int i = 0; i < 4; ++i) x += y, y = rotated(y, BITS[group % 2][i]) ^ x;
        x += keys[(group + 1) % 3], y += keys[(group + 2) % 3] + group + 1;
    }
}

// sin(2 pi x) for x in -1/4..1/4, to about 1e-7.
DEV float sine_of_turns(float x) {
    const float angle = x * 6.2831853f, square = angle * angle;
    float sum = square * -2.3889859e-8f + 2.7525562e-6f;
    sum = sum * square - 1.9840874e-4f;
    sum = sum * square + 8.3333310e-3f;
    sum = sum * square - 1.6666667e-1f;
    return sum * square * angle + angle;
}

// Two standard normal numbers, by Box and Muller. The logarithm is the exact one: near 1 the fast one is not.
DEV Noise noise_at(const Update& f, unsigned column, unsigned member) {
    unsigned x = column, y = member;
    threefry(f.key[0], f.key[1], x, y);
    const float radius = sqrtf(-2.0f * logf((float)((x >> 8) + 1) * 0x1p-24f));
    const float turn = (float)(int)y * 0x1p-33f, cosine = sine_of_turns(0.25f - fabsf(turn));
    return {radius * (y & 1 ? -cosine : cosine), radius * sine_of_turns(turn)};
}

// The sum of the threads' values, added in the same order every time.
DEV double block_sum(double* sums, double value) {
    sums[threadIdx.x] = value;
    for (int left = THREADS / 2; left; left /= 2) {
        __syncthreads();
        if (threadIdx.x < left) sums[threadIdx.x] += sums[threadIdx.x + left];
    }
    __syncthreads();
    return sums[0];
}

// In double precision, which holds the squares of all floats.
DEV double sum_of_squares(double* sums, const float* values, long long count) {
    double sum = 0;
    for (long long i = threadIdx.x; i < count; i += THREADS) sum += (double)values[i] * values[i];
    return block_sum(sums, sum);
}

// Adam at one place of the arrays, with gradient scale * gradient + noise. Whether the new parameter is finite, which
// it is not if the gradient is not.
DEV bool adam(const Update& f, long long place, float scale, float noise, float rate, float epsilon) {
    const float gradient = f.gradient[place] * scale + noise, before = f.momentum[place];
    const float momentum = before + f.momentum_rest * (gradient - before);
    const float variance = f.decay * f.variance[place] + f.decay_rest * gradient * gradient;
    const float parameter = f.parameters[place] - rate * momentum / (sqrtf(variance) + epsilon);
    f.momentum[place] = momentum, f.variance[place] = variance, f.parameters[place] = parameter;
    return isfinite(parameter);
}

KERNEL(update, Update, THREADS, 8) {
    SHARED(shared);
    const long long member = blockIdx.x, begin = member * f.size, half = (f.size + 1) / 2;
    const double norm = sqrt(sum_of_squares((double*)shared, f.gradient + begin, f.size));
    const float scale = norm > f.clip ? (float)(f.clip / norm) : 1.0f;
    const float deviation = f.deviation[member], rate = f.rate[member], epsilon = f.epsilon[member];
    bool sound = true;
    for (long long i = threadIdx.x; i < half; i += THREADS) {
        const Noise noise = noise_at(f, (unsigned)i, (unsigned)member);
        sound &= adam(f, begin + i, scale, deviation * noise.first, rate, epsilon);
        if (half + i < f.size) sound &= adam(f, begin + half + i, scale, deviation * noise.second, rate, epsilon);
    }
    const bool all = __syncthreads_and(sound);
    if (threadIdx.x == 0) f.finite[member] = all;
}
