// Weighted sums of rows: what selectors, READ, ADD, SUB and their gradients all are.

// out_s = sum over j of weights_s[j] * rows_j for COUNT weightings at once; weightings lie `apart` vectors
// apart, rows `step`, and `width` (a multiple of 4) columns are computed.
template <int COUNT>
static inline void mix(
    Vector* out, const Vector* weights, long apart, const Vector* rows, long step, int count, int width) {
    for (int column = 0; column < width; column += 4) {
        Vector sum[COUNT][4] = {};
        const Vector* row = rows + column;
        for (int j = 0; j < count; ++j, row += step)
            for (int s = 0; s < COUNT; ++s)
                for (int k = 0; k < 4; ++k) sum[s][k] += weights[s * apart + j] * row[k];
        for (int s = 0; s < COUNT; ++s)
            for (int k = 0; k < 4; ++k) out[s * width + column + k] = sum[s][k];
    }
}

// Gradients of `mix`: sets d_weights, adds to d_rows.
template <int COUNT>
static inline void mix_backward(
    Vector* d_weights, Vector* d_rows, const Vector* d_out, const Vector* weights, long apart,
    const Vector* rows, int count, int width) {
    for (int j = 0; j < count; ++j, rows += width, d_rows += width) {
        Vector sum[COUNT] = {}, weight[COUNT];
        for (int s = 0; s < COUNT; ++s) weight[s] = weights[s * apart + j];
        for (int column = 0; column < width; ++column) {
            Vector d_row = d_rows[column];
            for (int s = 0; s < COUNT; ++s) {
                sum[s] += d_out[s * width + column] * rows[column];
                d_row += d_out[s * width + column] * weight[s];
            }
            d_rows[column] = d_row;
        }
        for (int s = 0; s < COUNT; ++s) d_weights[s * apart + j] = sum[s];
    }
}

// Row repeated, so that a window of it is a rotation.
static inline void repeat(Vector* twice, const Vector* row, int size, int width) {
    for (int i = 0, j = 0; i < size + width; ++i, j = j + 1 == size ? 0 : j + 1) twice[i] = row[j];
}

static inline void clear_padding(Vector* row, int size, int width) {
    for (int i = size; i < width; ++i) row[i] = Vector{};
}

// out[c] = sum over k of weights[k] * row[c + k]  (indices modulo M).
static inline void correlate(
    Vector* out, const Vector* weights, const Vector* row, Vector* twice, int size, int width) {
    repeat(twice, row, size, width);
    mix<1>(out, weights, 0, twice, 1, size, width);
    clear_padding(out, size, width);
}

// out[c] = sum over k of weights[k] * row[c - k]  (indices modulo M).
static inline void convolve(
    Vector* out, const Vector* weights, const Vector* row, Vector* twice, int size, int width) {
    repeat(twice, row, size, width);
    mix<1>(out, weights, 0, twice + size, -1, size, width);
    clear_padding(out, size, width);
}
