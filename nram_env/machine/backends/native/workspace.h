// Where a thread keeps what belongs to the block of examples that it computes.

struct Workspace {
    Vector *log_probs, *probs;            // (K) of all selectors
    Vector *values, *pairs, *arguments;   // (dense, width), (pairs, 2), (arguments, width)
    Vector *memories;                     // (writes + 1, M, width): before the step and after every WRITE
    Vector *registers, *scratch;          // (R, width) after the step; 2 * width
    Vector *d_probs, *d_values, *d_pairs, *d_arguments, *d_memory, *d_registers;
};

// Lays the workspace out from `base`; returns how many vectors it takes.
static long lay_out(Workspace* workspace, const Plan& plan, Vector* base) {
    const long width = plan.width, matrix = plan.size * width;
    long used = 0;
    const auto take = [&](Vector** part, long count) {
        *part = base + used;
        used += count;
    };
    take(&workspace->log_probs, plan.probs);
    take(&workspace->probs, plan.probs);
    take(&workspace->values, plan.dense * width);
    take(&workspace->pairs, plan.pairs * 2);
    take(&workspace->arguments, plan.arguments * width);
    take(&workspace->memories, (plan.writes + 1) * matrix);
    take(&workspace->registers, plan.registers * width);
    take(&workspace->scratch, 2 * width);
    take(&workspace->d_probs, plan.probs);
    take(&workspace->d_values, plan.dense * width);
    take(&workspace->d_pairs, plan.pairs * 2);
    take(&workspace->d_arguments, 2 * width);
    take(&workspace->d_memory, matrix);
    take(&workspace->d_registers, plan.registers * width);
    return used;
}
