// Selectors: softmax of logits, entropy, and the choice among values.
//
// Inside the workspace the probabilities of one selector are sorted: first those of dense values, then the
// others. So its dense part is a plain weighted sum of consecutive rows.

// Where choice j of a selector with so many dense choices lies.
static inline int sorted(const Plan& plan, int j, int dense) {
    return plan.kind[j] == DENSE ? plan.rank[j] : dense + plan.rank[j];
}

// Softmax of one selector; its logits become log-probabilities. Returns its entropy.
static inline Vector soften(const Plan& plan, Vector* log_probs, Vector* probs, int count, int dense) {
    Vector top = log_probs[0], total = {}, moment = {};
    for (int j = 1; j < count; ++j) top = log_probs[j] > top ? log_probs[j] : top;
    for (int j = 0; j < count; ++j) {
        log_probs[j] -= top;
        const Vector weight = exponential(log_probs[j]);
        total += weight;
        moment += weight * log_probs[j];
        probs[sorted(plan, j, dense)] = weight;
    }
    const Vector scale = 1.0f / total, log_total = logarithm(total);
    for (int j = 0; j < count; ++j) {
        log_probs[j] -= log_total;
        probs[j] *= scale;
    }
    return log_total - moment * scale;
}

// Gradient of the logits, in their own order, from that of the probabilities and of the entropy. Overwrites
// log_probs with it.
static inline void soften_backward(
    const Plan& plan, Vector* log_probs, const Vector* probs, Vector* d_probs, Vector d_entropy, int count,
    int dense) {
    Vector mean = {};
    for (int j = 0; j < count; ++j) {
        const int i = sorted(plan, j, dense);
        d_probs[i] -= d_entropy * log_probs[j];
        mean += probs[i] * d_probs[i];
    }
    for (int j = 0; j < count; ++j) {
        const int i = sorted(plan, j, dense);
        log_probs[j] = probs[i] * (d_probs[i] - mean);
    }
}

// COUNT neighbouring selectors with `count` choices each, `dense` of them dense: sets as many rows of `out`.
template <int COUNT>
static inline void select(
    const Plan& plan, const Workspace& at, Vector* out, const Vector* probs, int count, int dense) {
    mix<COUNT>(out, probs, count, at.values, plan.width, dense, plan.width);
    for (int s = 0; s < COUNT; ++s, out += plan.width, probs += count)
        for (int j = 0; j < count; ++j) {
            const Vector weight = probs[sorted(plan, j, dense)];
            if (plan.kind[j] == CONSTANT) out[plan.place[j]] += weight;
            if (plan.kind[j] == PAIR) {
                out[0] += weight * at.pairs[2 * plan.place[j]];
                out[1] += weight * at.pairs[2 * plan.place[j] + 1];
            }
        }
}

// Gradients of `select`: sets those of the probabilities, adds to those of the values.
template <int COUNT>
static inline void select_backward(
    const Plan& plan, const Workspace& at, Vector* d_probs, const Vector* d_out, const Vector* probs, int count,
    int dense) {
    mix_backward<COUNT>(d_probs, at.d_values, d_out, probs, count, at.values, dense, plan.width);
    for (int s = 0; s < COUNT; ++s, d_out += plan.width, probs += count, d_probs += count)
        for (int j = 0; j < count; ++j) {
            const int i = sorted(plan, j, dense);
            if (plan.kind[j] == CONSTANT) d_probs[i] = d_out[plan.place[j]];
            if (plan.kind[j] == PAIR) {
                const Vector* pair = at.pairs + 2 * plan.place[j];
                Vector* d_pair = at.d_pairs + 2 * plan.place[j];
                d_probs[i] = d_out[0] * pair[0] + d_out[1] * pair[1];
                d_pair[0] += d_out[0] * probs[i];
                d_pair[1] += d_out[1] * probs[i];
            }
        }
}
