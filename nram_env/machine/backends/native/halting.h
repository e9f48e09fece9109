// Halting, example by example; and runs that are followed to their end. One that has finished stands still.

// The halting logit.
static float wish(const Plan& plan, const Inputs& in, long example) {
    return in.logits[example * (plan.probs + 1) + plan.probs];
}

// The halting probability; the reference computes 1 - sigmoid as well, so both round alike.
static float willingness(const Plan& plan, const Inputs& in, long example) {
    return 1.0f / (1.0f + __builtin_expf(-wish(plan, in, example)));
}

// Entropy of the choice to halt.
static float halting_entropy(const Plan& plan, const Inputs& in, long example) {
    const float logit = wish(plan, in, example), size = __builtin_fabsf(logit);
    const float softplus = __builtin_log1pf(__builtin_expf(-size)) + (logit > 0 ? logit : 0.0f);
    return softplus - logit * willingness(plan, in, example);
}

// Whether the timestep is the run's last, or the run had finished before, given what would be left of it.
static bool ends(const Plan& plan, const Inputs& in, long example, float survival) {
    return in.elapsed[example] + !in.finished[example] >= in.horizon[example] || survival < plan.floor;
}

static void backward_halting(const Plan& plan, const Inputs& in, const Gradients& d, long example) {
    const float halt = willingness(plan, in, example), stay = 1.0f - halt, before = in.survival[example];
    const float of_halting = d.halting ? d.halting[example] : 0.0f;
    const float of_entropy = d.halting_entropy ? d.halting_entropy[example] : 0.0f;
    float upper = (d.new_survival ? d.new_survival[example] : 0.0f) - of_halting;
    if (in.horizon && ends(plan, in, example, before * stay)) upper = 0.0f;
    const volatile float kept = upper * stay;  // rounded before the sum, as where autograd adds the two
    d.survival[example] = kept + of_halting;
    d.logits[example * (plan.probs + 1) + plan.probs] =
        -(upper * before + of_entropy * wish(plan, in, example)) * halt * stay;
}

static void stand_still(const Plan& plan, const Inputs& in, const Outputs& out, long example) {
    const long matrix = (long)plan.size * plan.size, registers = (long)plan.registers * plan.size;
    __builtin_memcpy(out.registers + example * registers, in.registers + example * registers, 4 * registers);
    __builtin_memcpy(out.memory + example * matrix, in.memory + example * matrix, 4 * matrix);
    out.entropy[example] = out.halting_entropy[example] = 0.0f;
}

// After all other outputs.
static void follow(const Plan& plan, const Inputs& in, const Outputs& out, long example) {
    const long matrix = (long)plan.size * plan.size;
    out.elapsed[example] = in.elapsed[example] + !in.finished[example];
    out.finished[example] = ends(plan, in, example, out.survival[example]);
    if (out.finished[example]) out.survival[example] = 0.0f;
    if (in.finished[example]) stand_still(plan, in, out, example);
    const float halting = out.halting[example] = in.survival[example] - out.survival[example];
    for (long i = example * matrix; i < (example + 1) * matrix; ++i) out.output[i] = in.output[i] + halting * out.memory[i];
    for (long r = example * plan.registers; r < (example + 1) * plan.registers; ++r)
        out.zero_probs[r] = out.registers[r * plan.size];
}

// to = from, or zeros.
static void copy_gradient(float* to, const float* from, long offset, long count) {
    if (!to) return;
    if (from) __builtin_memcpy(to + offset, from + offset, 4 * count);
    else __builtin_memset(to + offset, 0, 4 * count);
}

// The gradients of a run that had finished: those of its registers and its memory pass.
static void stand_still_backward(const Plan& plan, const Gradients& d, long example) {
    const long matrix = (long)plan.size * plan.size, registers = (long)plan.registers * plan.size;
    copy_gradient(d.logits, nullptr, example * (plan.probs + 1), plan.probs + 1);
    copy_gradient(d.memory, d.new_memory, example * matrix, matrix);
    copy_gradient(d.registers, d.new_registers, example * registers, registers);
    for (long r = example * plan.registers; d.registers && d.zero_probs && r < (example + 1) * plan.registers; ++r)
        d.registers[r * plan.size] += d.zero_probs[r];
}

// Adds the gradients of P(r = 0) to those of the new registers.
static void add_zero_probs(const Plan& plan, const Gradients& d, Vector* d_registers, long first, int valid) {
    for (int lane = 0; d.zero_probs && lane < valid; ++lane)
        for (int r = 0; r < plan.registers; ++r)
            d_registers[r * plan.width][lane] += d.zero_probs[(first + lane) * plan.registers + r];
}
