// Sharp registers: p_i becomes p_i^2 / sum_j p_j^2.
#pragma once

namespace learner {

static inline void square(float* p, long size) {
    float sum = 0;
    for (long i = 0; i < size; ++i) p[i] *= p[i], sum += p[i];
    const float scale = 1 / sum;
    for (long i = 0; i < size; ++i) p[i] *= scale;
}

// From the gradient of the result q to that of p, in place. With p_i = sqrt(q_i) / s, s the sum of the roots,
// dq_j / dp_i = 2 s sqrt(q_i) ([i = j] - q_j).
static inline void square_back(const float* q, float* gradient, long size) {
    float sum = 0, mean = 0;
    for (long i = 0; i < size; ++i) sum += __builtin_sqrtf(q[i]), mean += gradient[i] * q[i];
    for (long i = 0; i < size; ++i) gradient[i] = 2 * sum * __builtin_sqrtf(q[i]) * (gradient[i] - mean);
}

}  // namespace learner
