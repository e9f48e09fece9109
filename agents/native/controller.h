// One timestep of a controller, forward and backward, and the gradient of its weights.
//
// A layer is stored as its weights (rows, columns), then its bias (columns).

struct Layer {
    long rows, columns;
    long begin;       // where its weights begin among a member's parameters
    long transposed;  // where they begin among its transposed weights, which have no biases
};

struct Layers {
    Layer layer[3];
    long size, transposed_size;

    explicit Layers(const Stack& stack) {
        const long h = stack.hidden, lstm = stack.kind == LSTM;
        layer[0] = {stack.inputs, h, 0, 0};
        layer[1] = {lstm ? 2 * h : h, lstm ? 4 * h : h, (stack.inputs + 1) * h, stack.inputs * h};
        layer[2] = {h, stack.outputs, 0, 0};
        layer[2].begin = layer[1].begin + (layer[1].rows + 1) * layer[1].columns;
        layer[2].transposed = layer[1].transposed + layer[1].rows * layer[1].columns;
        size = layer[2].begin + (h + 1) * stack.outputs;
        transposed_size = layer[2].transposed + h * stack.outputs;
    }
};

// A matrix of one member, its rows `row` floats apart.
struct Matrix {
    float* start;
    long row;
};

static inline Matrix member_of(const float* values, const Stack& stack, long row, long member) {
    return {(float*)values + member * stack.batch * row, row};
}

static inline Matrix part_of(Matrix matrix, long column) { return {matrix.start + column, matrix.row}; }

// The arrays of one member. `encoded` is the first layer's output, `last` what enters the last layer.
struct Arrays {
    Matrix observations, state, activations, logits, new_state, last;
    Matrix of_logits, of_new_state, deltas, of_observations, of_state;

    Arrays(const Stack& stack, const Step& step, long member) {
        const long h = stack.hidden, kept = stack.kind == LSTM ? 6 * h : 2 * h, moved = stack.kind == LSTM ? 5 * h : 2 * h;
        observations = member_of(step.observations, stack, stack.inputs, member);
        state = member_of(step.state, stack, 2 * h, member);
        activations = member_of(step.activations, stack, kept, member);
        logits = member_of(step.logits, stack, stack.outputs, member);
        new_state = member_of(step.new_state, stack, 2 * h, member);
        last = stack.kind == LSTM ? new_state : part_of(activations, h);
        of_logits = member_of(step.of_logits, stack, stack.outputs, member);
        of_new_state = member_of(step.of_new_state, stack, 2 * h, member);
        deltas = member_of(step.deltas, stack, moved, member);
        of_observations = member_of(step.of_observations, stack, stack.inputs, member);
        of_state = member_of(step.of_state, stack, 2 * h, member);
    }
};

typedef Vector Loose __attribute__((aligned(4), may_alias));

// Up to LANES numbers; the rest of the vector is 0, and is not stored.
static inline Vector load_some(const float* from, long count) {
    if (count >= LANES) return *(const Loose*)from;
    Vector values{};
    __builtin_memcpy(&values, from, 4 * count);
    return values;
}

static inline void store_some(float* to, Vector values, long count) {
    if (count >= LANES)
        *(Loose*)to = values;
    else
        __builtin_memcpy(to, &values, 4 * count);
}

static inline Vector sigmoid(Vector x) { return 1.0f / (1.0f + exponential(-x)); }

// To about 1e-7 of the result, also near 0 (Cephes polynomial).
static inline Vector hyperbolic_tangent(Vector x) {
    const Vector square = x * x, size = x < 0.0f ? -x : x;
    Vector sum = square * -5.70498872745e-3f + 2.06390887954e-2f;
    sum = sum * square - 5.37397155531e-2f;
    sum = sum * square + 1.33314422036e-1f;
    sum = sum * square - 3.33332819422e-1f;
    const Vector near = sum * square * x + x;
    const Vector far = 1.0f - 2.0f / (exponential(x + x) + 1.0f);
    return size < 0.625f ? near : far;
}

static void relu(const Stack& stack, Matrix values) {
    for (long b = 0; b < stack.batch; ++b)
        for (long j = 0; j < stack.hidden; j += LANES) {
            float* place = values.start + b * values.row + j;
            const Vector x = load_some(place, stack.hidden - j);
            store_some(place, x < 0.0f ? Vector{} : x, stack.hidden - j);
        }
}

// Zero where the layer's output is.
static void relu_backward(const Stack& stack, Matrix output, Matrix gradient) {
    for (long b = 0; b < stack.batch; ++b)
        for (long j = 0; j < stack.hidden; j += LANES) {
            float* place = gradient.start + b * gradient.row + j;
            const Vector y = load_some(output.start + b * output.row + j, stack.hidden - j);
            const Vector g = load_some(place, stack.hidden - j);
            store_some(place, y <= 0.0f ? Vector{} : g, stack.hidden - j);
        }
}

// result = inputs (beside `more`, if the layer has so many rows) times the weights, plus the bias.
static void apply(const Stack& stack, const float* parameters, const Layer& layer, Matrix inputs, long width,
                  Matrix more, Matrix result) {
    const float* weights = parameters + layer.begin;
    const Term terms[2] = {
        {inputs.start, inputs.row, 1, weights, layer.columns, width},
        {more.start, more.row, 1, weights + width * layer.columns, layer.columns, layer.rows - width},
    };
    const float* bias = weights + layer.rows * layer.columns;
    multiply({terms, 2, stack.batch, layer.columns, bias, 0, result.start, result.row});
}

// result = start + gradient times the transposed weights of `count` of the layer's inputs.
static void apply_transposed(const Stack& stack, const float* transposed, const Layer& layer,
                             Matrix gradient, long first, long count, Matrix start, Matrix result) {
    const float* weights = transposed + layer.transposed + first;
    const Term term = {gradient.start, gradient.row, 1, weights, layer.rows, layer.columns};
    multiply({&term, 1, stack.batch, count, start.start, start.row, result.start, result.row});
}

// From gates before their activation functions to activations, and the new state.
static void lstm_cell(const Stack& stack, const Arrays& at) {
    const long h = stack.hidden;
    for (long b = 0; b < stack.batch; ++b)
        for (long j = 0; j < h; j += LANES) {
            const long count = h - j;
            float* kept = at.activations.start + b * at.activations.row + h + j;
            float* state = at.new_state.start + b * 2 * h + j;
            const Vector enter = sigmoid(load_some(kept, count));
            const Vector forget = sigmoid(load_some(kept + h, count));
            const Vector emit = sigmoid(load_some(kept + 2 * h, count));
            const Vector candidate = hyperbolic_tangent(load_some(kept + 3 * h, count));
            const Vector before = load_some(at.state.start + b * 2 * h + h + j, count);
            const Vector cell = forget * before + enter * candidate;
            const Vector bounded = hyperbolic_tangent(cell);
            const Vector values[5] = {enter, forget, emit, candidate, bounded};
            for (int i = 0; i < 5; ++i) store_some(kept + i * h, values[i], count);
            store_some(state, emit * bounded, count);
            store_some(state + h, cell, count);
        }
}

// From the gradients of h (in `hidden`) and of the new c to those of the gates and of the old c.
static void lstm_cell_backward(const Stack& stack, const Arrays& at, const float* hidden) {
    const long h = stack.hidden;
    for (long b = 0; b < stack.batch; ++b)
        for (long j = 0; j < h; j += LANES) {
            const long count = h - j;
            const float* kept = at.activations.start + b * at.activations.row + h + j;
            const Vector enter = load_some(kept, count), forget = load_some(kept + h, count);
            const Vector emit = load_some(kept + 2 * h, count), candidate = load_some(kept + 3 * h, count);
            const Vector bounded = load_some(kept + 4 * h, count);
            const Vector before = load_some(at.state.start + b * 2 * h + h + j, count);
            const Vector of_hidden = load_some(hidden + b * h + j, count);
            const Vector later = load_some(at.of_new_state.start + b * 2 * h + h + j, count);
            const Vector of_cell = of_hidden * emit * (1.0f - bounded * bounded) + later;
            float* gates = at.deltas.start + b * at.deltas.row + h + j;
            store_some(gates, of_cell * candidate * enter * (1.0f - enter), count);
            store_some(gates + h, of_cell * before * forget * (1.0f - forget), count);
            store_some(gates + 2 * h, of_hidden * bounded * emit * (1.0f - emit), count);
            store_some(gates + 3 * h, of_cell * enter * (1.0f - candidate * candidate), count);
            store_some(at.of_state.start + b * 2 * h + h + j, of_cell * forget, count);
        }
}

static void forward(const Stack& stack, const float* parameters, const Step& step, long member) {
    const Layers layers(stack);
    const Arrays at(stack, step, member);
    const long h = stack.hidden;
    parameters += member * layers.size;
    const auto [first, second, last] = layers.layer;
    const Matrix middle = part_of(at.activations, h);
    apply(stack, parameters, first, at.observations, stack.inputs, {}, at.activations);
    relu(stack, at.activations);
    apply(stack, parameters, second, at.activations, h, at.state, middle);
    if (stack.kind == LSTM)
        lstm_cell(stack, at);
    else
        relu(stack, middle);
    apply(stack, parameters, last, at.last, h, {}, at.logits);
}

static void transpose_block(const Layer& layer, const float* from, float* to, long row, long column) {
    const long rows = layer.rows, columns = layer.columns;
    if (row + 4 <= rows && column + 4 <= columns) {
        Four block[4];
        for (int i = 0; i < 4; ++i) block[i] = *(const Four*)(from + (row + i) * columns + column);
        transpose(block);
        for (int j = 0; j < 4; ++j) *(Four*)(to + (column + j) * rows + row) = block[j];
        return;
    }
    for (long i = row; i < row + 4 && i < rows; ++i)
        for (long j = column; j < column + 4 && j < columns; ++j) to[j * rows + i] = from[i * columns + j];
}

static void transpose(const Stack& stack, const float* parameters, float* transposed, long member) {
    const Layers layers(stack);
    for (const Layer& layer : layers.layer) {
        const float* from = parameters + member * layers.size + layer.begin;
        float* to = transposed + member * layers.transposed_size + layer.transposed;
        for (long row = 0; row < layer.rows; row += 4)
            for (long column = 0; column < layer.columns; column += 4) transpose_block(layer, from, to, row, column);
    }
}

// `workspace` holds B x H floats.
static void backward(const Stack& stack, const float* transposed, const Step& step, float* workspace, long member) {
    const Layers layers(stack);
    const Arrays at(stack, step, member);
    const long h = stack.hidden;
    transposed += member * layers.transposed_size;
    const auto [first, second, last] = layers.layer;
    const Matrix middle = part_of(at.deltas, h);
    if (stack.kind == LSTM) {
        apply_transposed(stack, transposed, last, at.of_logits, 0, h, at.of_new_state, {workspace, h});
        lstm_cell_backward(stack, at, workspace);
        apply_transposed(stack, transposed, second, middle, h, h, {}, at.of_state);
    } else {
        apply_transposed(stack, transposed, last, at.of_logits, 0, h, {}, middle);
        relu_backward(stack, at.last, middle);
    }
    apply_transposed(stack, transposed, second, middle, 0, h, {}, at.deltas);
    relu_backward(stack, at.activations, at.deltas);
    apply_transposed(stack, transposed, first, at.deltas, 0, stack.inputs, {}, at.of_observations);
}

// So many timesteps are summed up at once: what they left fits into the fastest cache.
constexpr long AT_ONCE = 4;

// The inputs of a layer in one timestep, with a 1 for the bias, side by side: (B, rows + 1).
static void gather(const Stack& stack, const Layer& layer, Matrix first, long width, Matrix more, float* to) {
    for (long b = 0; b < stack.batch; ++b, to += layer.rows + 1) {
        __builtin_memcpy(to, first.start + b * first.row, 4 * width);
        __builtin_memcpy(to + width, more.start + b * more.row, 4 * (layer.rows - width));
        to[layer.rows] = 1.0f;
    }
}

static Matrix inputs_of(const Arrays& at, int i) {
    return i == 0 ? at.observations : i == 1 ? at.activations : at.last;
}

static Matrix deltas_of(const Stack& stack, const Step& step, int i, long member) {
    const Arrays at(stack, step, member);
    return i == 0 ? at.deltas : i == 1 ? part_of(at.deltas, stack.hidden) : at.of_logits;
}

// result = start + the gradient of layer i of the first AT_ONCE timesteps, or of all if they are fewer.
static void add_gradient(const Stack& stack, const Step* steps, long count, int i, float* workspace, const float* start,
                         float* result, long member) {
    const Layer layer = Layers(stack).layer[i];
    const long rows = layer.rows + 1, width = i == 0 ? stack.inputs : stack.hidden;
    Term terms[AT_ONCE];
    long t = 0;
    for (; t < count && t < AT_ONCE; ++t, workspace += stack.batch * rows) {
        const Arrays at(stack, steps[t], member);
        gather(stack, layer, inputs_of(at, i), width, at.state, workspace);
        const Matrix deltas = deltas_of(stack, steps[t], i, member);
        terms[t] = {workspace, 1, rows, deltas.start, deltas.row, stack.batch};
    }
    multiply({terms, t, rows, layer.columns, start, layer.columns, result, layer.columns});
}

// What add_gradient and the sum so far need.
static long gradient_floats(const Stack& stack) {
    const Layers layers(stack);
    long most = 0;
    for (const Layer& layer : layers.layer) most = layer.rows + 1 > most ? layer.rows + 1 : most;
    return most * AT_ONCE * stack.batch + layers.size;
}

static void gradient(const Stack& stack, const Step* steps, long count, float* workspace, float* result, long member) {
    const Layers layers(stack);
    float* const gathered = workspace + layers.size;
    result += member * layers.size;
    for (int i = 0; i < 3; ++i) {
        const long begin = layers.layer[i].begin;
        const float* sum = nullptr;
        for (long t = 0; t < count; t += AT_ONCE) {
            const long left = (count - t + AT_ONCE - 1) / AT_ONCE;  // the last sum is the result
            float* next = (left % 2 ? result : workspace) + begin;
            add_gradient(stack, steps + t, count - t, i, gathered, sum, next, member);
            sum = next;
        }
    }
}
