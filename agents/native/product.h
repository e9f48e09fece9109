// Products of small matrices: blocks of the result stay in registers while everything that is summed streams by.

// A term of a sum of products: a (rows, depth) times b (depth, columns). Element (i, k) of `a` lies at
// i * a_row + k * a_step, so that a transposed matrix, or a 1 repeated, serves as well.
struct Term {
    const float* a;
    long a_row, a_step;
    const float* b;
    long b_step;
    long depth;
};

struct Product {  // result = start + the sum of all terms
    const Term* terms;
    long count;
    long rows, columns;
    const float* start;  // (rows, columns), rows start_row apart, or null for zeros
    long start_row;
    float* result;
    long result_row;
};

constexpr int MOST_ROWS = LANES == 16 ? 8 : 4;  // three vectors of so many rows fit into the registers

template <class V, int ROWS, int VECTORS>
static inline __attribute__((always_inline)) void tile(const Product& product, long row, long column) {
    typedef V Loose __attribute__((aligned(4), may_alias));
    constexpr int width = sizeof(V) / 4;
    V sum[ROWS][VECTORS];
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) {
            const float* start = product.start + (row + i) * product.start_row + column + v * width;
            sum[i][v] = product.start ? *(const Loose*)start : V{};
        }
    for (long t = 0; t < product.count; ++t) {
        const Term& term = product.terms[t];
        const long a_row = term.a_row, a_step = term.a_step, b_step = term.b_step;
        const float *a = term.a + row * a_row, *b = term.b + column;
        for (long k = 0; k < term.depth; ++k, a += a_step, b += b_step) {
            V factor[VECTORS];
#pragma GCC unroll 8
            for (int v = 0; v < VECTORS; ++v) factor[v] = *(const Loose*)(b + v * width);
#pragma GCC unroll 8
            for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 8
                for (int v = 0; v < VECTORS; ++v) sum[i][v] += a[i * a_row] * factor[v];
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v)
            *(Loose*)(product.result + (row + i) * product.result_row + column + v * width) = sum[i][v];
}

// All rows of the columns column..column + VECTORS vectors.
template <class V, int VECTORS>
static void panel(const Product& product, long column) {
    long row = 0;
    for (; row + MOST_ROWS <= product.rows; row += MOST_ROWS) tile<V, MOST_ROWS, VECTORS>(product, row, column);
    for (; row + 4 <= product.rows; row += 4) tile<V, 4, VECTORS>(product, row, column);
    for (; row < product.rows; ++row) tile<V, 1, VECTORS>(product, row, column);
}

// The last columns, at most as many as VECTORS vectors hold. They may overlap others: those are computed again, to
// the same numbers.
template <int VECTORS>
static void last_panel(const Product& product) {
    if (product.columns >= VECTORS * LANES) return panel<Vector, VECTORS>(product, product.columns - VECTORS * LANES);
    if constexpr (VECTORS > 1) panel<Vector, VECTORS - 1>(product, 0), last_panel<1>(product);
}

// Panels are two or three vectors wide wherever they can be: one vector alone waits for its own sums.
static void multiply(const Product& product) {
    long column = 0, left = product.columns;
    const auto advance = [&](long done) { column += done, left -= done; };
    if (left < LANES) {
        for (; left >= 4; advance(4)) panel<Four, 1>(product, column);
        for (; left > 0; advance(1)) panel<float, 1>(product, column);
        return;
    }
    for (; left > 4 * LANES || left == 3 * LANES; advance(3 * LANES)) panel<Vector, 3>(product, column);
    if (left > 3 * LANES) panel<Vector, 2>(product, column), advance(2 * LANES);
    if (left > 2 * LANES) last_panel<3>(product);
    else if (left > LANES) last_panel<2>(product);
    else if (left > 0) last_panel<1>(product);
}
