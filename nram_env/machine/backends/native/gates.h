// The gates on distributions, forward and backward. a, b: arguments; rows of `width` vectors, M of them used.

// P(a < b), P(a = b), P(a > b).
struct Order {
    Vector less, equal, greater;
};

static inline Order compare(const Vector* a, const Vector* b, int size) {
    Order order = {};
    Vector a_below = {}, b_below = {};
    for (int i = 0; i < size; ++i) {
        order.less += a_below * b[i];
        order.equal += a[i] * b[i];
        order.greater += a[i] * b_below;
        a_below += a[i];
        b_below += b[i];
    }
    return order;
}

static inline void compare_backward(
    Vector* d_a, Vector* d_b, Order d, const Vector* a, const Vector* b, int size) {
    Vector a_beyond = {}, b_beyond = {};
    for (int i = 0; i < size; ++i) {
        d_a[i] = d.greater * b_beyond + d.equal * b[i];
        d_b[i] = d.less * a_beyond + d.equal * a[i];
        a_beyond += a[i];
        b_beyond += b[i];
    }
    a_beyond = b_beyond = Vector{};
    for (int i = size - 1; i >= 0; --i) {
        d_a[i] += d.less * b_beyond;
        d_b[i] += d.greater * a_beyond;
        a_beyond += a[i];
        b_beyond += b[i];
    }
}

// Probabilities {of 0, of 1} of a comparison's output.
static inline void truth(Vector pair[2], int gate, Order order) {
    if (gate == LESS) pair[0] = order.greater + order.equal, pair[1] = order.less;
    if (gate == LESS_EQUAL) pair[0] = order.greater, pair[1] = order.less + order.equal;
    if (gate == EQUAL) pair[0] = order.less + order.greater, pair[1] = order.equal;
}

static inline Order truth_backward(const Vector d_pair[2], int gate) {
    if (gate == LESS) return {d_pair[1], d_pair[0], d_pair[0]};
    if (gate == LESS_EQUAL) return {d_pair[1], d_pair[1], d_pair[0]};
    return {d_pair[0], d_pair[1], d_pair[0]};
}

// MAX for first = 0, step = 1; MIN is the same from the other end: first = M - 1, step = -1.
static inline void extreme(Vector* out, const Vector* a, const Vector* b, int size, int first, int step) {
    Vector a_before = {}, b_until = {};
    for (int n = 0, i = first; n < size; ++n, i += step) {
        b_until += b[i];
        out[i] = a[i] * b_until + a_before * b[i];
        a_before += a[i];
    }
}

static inline void extreme_backward(
    Vector* d_a, Vector* d_b, const Vector* d_out, const Vector* a, const Vector* b, int size, int first,
    int step) {
    Vector a_before = {}, b_until = {};
    int i = first;
    for (int n = 0; n < size; ++n, i += step) {
        b_until += b[i];
        d_a[i] = d_out[i] * b_until;
        d_b[i] = d_out[i] * a_before;
        a_before += a[i];
    }
    Vector by_a = {}, by_b = {};
    for (int n = 0; n < size; ++n) {
        i -= step;
        by_a += d_out[i] * a[i];
        d_a[i] += by_b;
        d_b[i] += by_a;
        by_b += d_out[i] * b[i];
    }
}

// out[i] = row[i - shift], shift 1 or -1, modulo M.
static inline void rotate(Vector* out, const Vector* row, int size, int shift) {
    for (int i = 0; i < size; ++i) out[i] = row[(i - shift + size) % size];
}

// Row x of the new memory is (1 - p[x]) * row x + p[x] * a.
static inline void write(
    Vector* after, const Vector* before, const Vector* pointer, const Vector* value, int size, int width) {
    for (int x = 0; x < size; ++x, before += width, after += width) {
        const Vector weight = pointer[x], keep = 1.0f - weight;
        for (int c = 0; c < width; ++c) after[c] = keep * before[c] + weight * value[c];
    }
}

// Turns d_memory, the gradient of the memory after, into that of the memory before. Adds to d_value.
static inline void write_backward(
    Vector* d_pointer, Vector* d_value, Vector* d_memory, const Vector* before, const Vector* pointer,
    const Vector* value, int size, int width) {
    for (int x = 0; x < size; ++x, before += width, d_memory += width) {
        const Vector weight = pointer[x], keep = 1.0f - weight;
        Vector sum = {};
        for (int c = 0; c < width; ++c) {
            const Vector d = d_memory[c];
            sum += d * (value[c] - before[c]);
            d_value[c] += weight * d;
            d_memory[c] = keep * d;
        }
        d_pointer[x] = sum;
    }
}

// A gate with a dense value, except WRITE.
static inline void run_gate(
    int gate, Vector* out, const Vector* a, const Vector* b, const Vector* memory, Vector* scratch, int size,
    int width) {
    switch (gate) {
        case READ: mix<1>(out, a, 0, memory, width, size, width); break;
        case INC: rotate(out, a, size, 1); break;
        case DEC: rotate(out, a, size, -1); break;
        case ADD: convolve(out, b, a, scratch, size, width); break;
        case SUB: correlate(out, b, a, scratch, size, width); break;
        case MIN: extreme(out, a, b, size, size - 1, -1); break;
        case MAX: extreme(out, a, b, size, 0, 1); break;
    }
}

// Sets d_a and d_b; READ adds to d_memory.
static inline void run_gate_backward(
    int gate, Vector* d_a, Vector* d_b, const Vector* d_out, const Vector* a, const Vector* b,
    const Vector* memory, Vector* d_memory, Vector* scratch, int size, int width) {
    switch (gate) {
        case READ: mix_backward<1>(d_a, d_memory, d_out, a, 0, memory, size, width); break;
        case INC: rotate(d_a, d_out, size, -1); break;
        case DEC: rotate(d_a, d_out, size, 1); break;
        case ADD:
            correlate(d_a, b, d_out, scratch, size, width);
            correlate(d_b, a, d_out, scratch, size, width);
            break;
        case SUB:
            convolve(d_a, b, d_out, scratch, size, width);
            correlate(d_b, d_out, a, scratch, size, width);
            break;
        case MIN: extreme_backward(d_a, d_b, d_out, a, b, size, size - 1, -1); break;
        case MAX: extreme_backward(d_a, d_b, d_out, a, b, size, 0, 1); break;
    }
}
