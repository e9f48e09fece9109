// Sharp registers: p_i becomes p_i^2 / sum_j p_j^2; with noise w_i p_i stands for p_i.
#pragma once

namespace learner {

static inline unsigned mixed(unsigned word) {
    word = (word ^ word >> 16) * 0x7feb352d;
    word = (word ^ word >> 15) * 0x846ca68b;
    return word ^ word >> 16;
}

// The weights of a register's values; without noise they are 1. See nram_env/envs/sharpness.py.
class Weights {
  public:
    Weights() : noisy_(false), moment_(0), first_(0) {}
    Weights(long long chance, long timestep, long first)
        : noisy_(true), moment_(mixed((unsigned)chance + (unsigned)timestep * 0x85ebca6b)), first_(first) {}

    float operator[](long value) const {
        return noisy_ ? ((mixed(moment_ + (unsigned)(first_ + value) * 0x9e3779b9) >> 9) + 0.5f) * 0x1p-23f : 1;
    }

  private:
    bool noisy_;
    unsigned moment_;
    long first_;
};

static inline void square(float* p, const Weights& weights, long size) {
    float sum = 0;
    for (long i = 0; i < size; ++i) {
        const float weighted = weights[i] * p[i];
        p[i] = weighted * weighted, sum += p[i];
    }
    const float scale = 1 / sum;
    for (long i = 0; i < size; ++i) p[i] *= scale;
}

// From the gradient of the result q to that of p, in place. With p_i = sqrt(q_i) / (w_i s), s the sum of the
// sqrt(q_i) / w_i, dq_j / dp_i = 2 s w_i sqrt(q_i) ([i = j] - q_j).
static inline void square_back(const float* q, const Weights& weights, float* gradient, long size) {
    float sum = 0, mean = 0;
    for (long i = 0; i < size; ++i) sum += __builtin_sqrtf(q[i]) / weights[i], mean += gradient[i] * q[i];
    for (long i = 0; i < size; ++i)
        gradient[i] = 2 * sum * weights[i] * __builtin_sqrtf(q[i]) * (gradient[i] - mean);
}

}  // namespace learner
