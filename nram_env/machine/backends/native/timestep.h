// One timestep of a block of LANES examples, forward and backward. Included once for each instruction set,
// by a file that defines LANES and KERNELS.
#include "plan.h"

namespace nram {
namespace {

#include "lanes.h"
#include "mixing.h"
#include "gates.h"
#include "workspace.h"
#include "selectors.h"
#include "halting.h"

// Which examples a block holds.
struct Block {
    long first;
    int valid;
};

// Position in the gate list, and what precedes it.
struct Cursor {
    int gate, argument, start;  // arguments and logits of the gates before
    Vector* memory;
};

int arity(int gate) {
    if (gate == ZERO || gate == ONE || gate == TWO) return 0;
    return gate == READ || gate == INC || gate == DEC ? 1 : 2;
}

void load_block(const Plan& plan, const Inputs& in, const Workspace& at, Block block) {
    const long size = plan.size, matrix = size * size, registers = plan.registers * size;
    load(at.log_probs, in.logits + block.first * (plan.probs + 1), plan.probs + 1, plan.probs, block.valid);
    for (int r = 0; r < plan.registers; ++r)
        load(at.values + r * plan.width, in.registers + block.first * registers + r * size, registers, size,
             block.valid);
    for (int x = 0; x < size; ++x)
        load(at.memories + x * plan.width, in.memory + block.first * matrix + x * size, matrix, size,
             block.valid);
}

// Softmax of all selectors; returns the sum of their entropies.
Vector soften_all(const Plan& plan, const Workspace& at) {
    Vector entropy = {};
    int start = 0;
    for (int i = 0; i <= plan.gates; ++i) {
        const int count = plan.registers + i;
        const int selectors = i < plan.gates ? arity(plan.gate[i]) : plan.registers;
        for (int s = 0; s < selectors; ++s, start += count)
            entropy += soften(plan, at.log_probs + start, at.probs + start, count, plan.dense_before[i]);
    }
    return entropy;
}

void soften_all_backward(const Plan& plan, const Workspace& at, Vector d_entropy) {
    int start = 0;
    for (int i = 0; i <= plan.gates; ++i) {
        const int count = plan.registers + i;
        const int selectors = i < plan.gates ? arity(plan.gate[i]) : plan.registers;
        for (int s = 0; s < selectors; ++s, start += count)
            soften_backward(plan, at.log_probs + start, at.probs + start, at.d_probs + start, d_entropy, count,
                            plan.dense_before[i]);
    }
}

void forward_gate(const Plan& plan, const Workspace& at, Cursor& cursor) {
    const int i = cursor.gate, gate = plan.gate[i], value = plan.registers + i, width = plan.width;
    const int count = plan.registers + i, dense = plan.dense_before[i];
    Vector* a = at.arguments + cursor.argument * width;
    const Vector *b = a + width, *probs = at.probs + cursor.start;
    if (arity(gate) == 1) select<1>(plan, at, a, probs, count, dense);
    if (arity(gate) == 2) select<2>(plan, at, a, probs, count, dense);
    Vector* out = at.values + plan.rank[value] * width;
    if (plan.kind[value] == PAIR) {
        truth(at.pairs + 2 * plan.place[value], gate, compare(a, b, plan.size));
    } else if (gate == WRITE) {
        Vector* after = cursor.memory + plan.size * width;
        write(after, cursor.memory, a, b, plan.size, width);
        for (int c = 0; c < width; ++c) out[c] = b[c];
        cursor.memory = after;
    } else {
        run_gate(gate, out, a, b, cursor.memory, at.scratch, plan.size, width);
    }
    cursor = {i + 1, cursor.argument + arity(gate), cursor.start + arity(gate) * count, cursor.memory};
}

// Runs all gates; returns where the list ends.
Cursor forward_gates(const Plan& plan, const Workspace& at) {
    Cursor cursor = {0, 0, 0, at.memories};
    while (cursor.gate < plan.gates) forward_gate(plan, at, cursor);
    return cursor;
}

void update_registers(const Plan& plan, const Workspace& at, int start) {
    const int count = plan.registers + plan.gates, dense = plan.dense_before[plan.gates];
    const Vector* probs = at.probs + start;
    Vector* out = at.registers;
    int r = 0;
    for (; r + 4 <= plan.registers; r += 4, out += 4 * plan.width, probs += 4 * count)
        select<4>(plan, at, out, probs, count, dense);
    for (; r < plan.registers; ++r, out += plan.width, probs += count)
        select<1>(plan, at, out, probs, count, dense);
}

void update_registers_backward(const Plan& plan, const Workspace& at, int start) {
    const int count = plan.registers + plan.gates, dense = plan.dense_before[plan.gates];
    const Vector *probs = at.probs + start, *d_out = at.d_registers;
    Vector* d_probs = at.d_probs + start;
    int r = 0;
    for (; r + 4 <= plan.registers; r += 4, d_out += 4 * plan.width, probs += 4 * count, d_probs += 4 * count)
        select_backward<4>(plan, at, d_probs, d_out, probs, count, dense);
    for (; r < plan.registers; ++r, d_out += plan.width, probs += count, d_probs += count)
        select_backward<1>(plan, at, d_probs, d_out, probs, count, dense);
}

void backward_gate(const Plan& plan, const Workspace& at, Cursor& cursor) {
    const int i = cursor.gate - 1, gate = plan.gate[i], value = plan.registers + i, width = plan.width;
    const int count = plan.registers + i, dense = plan.dense_before[i];
    cursor = {i, cursor.argument - arity(gate), cursor.start - arity(gate) * count, cursor.memory};
    if (plan.kind[value] == CONSTANT) return;
    const Vector *a = at.arguments + cursor.argument * width, *b = a + width;
    Vector *d_a = at.d_arguments, *d_b = d_a + width, *d_out = at.d_values + plan.rank[value] * width;
    if (plan.kind[value] == PAIR) {
        Vector* d_pair = at.d_pairs + 2 * plan.place[value];
        clip(d_pair, 2, plan.clip);
        compare_backward(d_a, d_b, truth_backward(d_pair, gate), a, b, plan.size);
    } else if (gate == WRITE) {
        cursor.memory -= plan.size * width;
        clip(d_out, plan.size, plan.clip);
        clip(at.d_memory, plan.size * width, plan.clip);
        for (int c = 0; c < width; ++c) d_b[c] = d_out[c];
        write_backward(d_a, d_b, at.d_memory, cursor.memory, a, b, plan.size, width);
    } else {
        clip(d_out, plan.size, plan.clip);
        run_gate_backward(gate, d_a, d_b, d_out, a, b, cursor.memory, at.d_memory, at.scratch, plan.size, width);
    }
    clip(d_a, arity(gate) * width, plan.clip);
    const Vector* probs = at.probs + cursor.start;
    Vector* d_probs = at.d_probs + cursor.start;
    if (arity(gate) == 1) select_backward<1>(plan, at, d_probs, d_a, probs, count, dense);
    if (arity(gate) == 2) select_backward<2>(plan, at, d_probs, d_a, probs, count, dense);
}

// Divides each of `count` rows by its sum. The backward pass takes that for the identity.
void rescale(const Plan& plan, Vector* row, int count) {
    for (; count > 0; --count, row += plan.width) {
        Vector total = {};
        for (int c = 0; c < plan.size; ++c) total += row[c];
        const Vector scale = 1.0f / total;
        for (int c = 0; c < plan.size; ++c) row[c] *= scale;
    }
}

// Probability of the wanted value in an output cell of one lane, or null outside the output cells.
float* wanted(const Plan& plan, const Inputs& in, Vector* memory, Block block, int lane, int cell) {
    const long at = (block.first + lane) * plan.size + cell;
    if (!in.mask[at] || in.target[at] < 0 || in.target[at] >= plan.size) return nullptr;
    return (float*)(memory + cell * plan.width + in.target[at]) + lane;
}

float log_likelihood(const Plan& plan, const Inputs& in, Vector* memory, Block block, int lane) {
    float sum = 0;
    for (int cell = 0; in.target && cell < plan.size; ++cell)
        if (const float* prob = wanted(plan, in, memory, block, lane, cell))
            sum += __builtin_logf(*prob < plan.log_floor ? plan.log_floor : *prob);
    return sum;
}

void log_likelihood_backward(
    const Plan& plan, const Inputs& in, const Workspace& at, Vector* memory, Block block, const float* d) {
    for (int lane = 0; in.target && d && lane < block.valid; ++lane)
        for (int cell = 0; cell < plan.size; ++cell)
            if (const float* prob = wanted(plan, in, memory, block, lane, cell))
                if (!(*prob < plan.log_floor))
                    *wanted(plan, in, at.d_memory, block, lane, cell) += d[block.first + lane] / *prob;
}

void forward_block(const Plan& plan, const Inputs& in, const Outputs& out, const Workspace& at, Block block) {
    const long size = plan.size, matrix = size * size, registers = plan.registers * size;
    load_block(plan, in, at, block);
    const Vector entropy = soften_all(plan, at);
    const Cursor end = forward_gates(plan, at);
    update_registers(plan, at, end.start);
    store(out.entropy + block.first, &entropy, 1, 1, block.valid);
    for (int lane = 0; lane < block.valid; ++lane) {
        const long example = block.first + lane;
        out.survival[example] = in.survival[example] * (1.0f - willingness(plan, in, example));
        out.halting_entropy[example] = halting_entropy(plan, in, example);
        out.log_likelihood[example] = log_likelihood(plan, in, end.memory, block, lane);
    }
    if (plan.rescale) rescale(plan, at.registers, plan.registers), rescale(plan, end.memory, plan.size);
    for (int r = 0; r < plan.registers; ++r)
        store(out.registers + block.first * registers + r * size, at.registers + r * plan.width, registers, size,
              block.valid);
    for (int x = 0; x < size; ++x)
        store(out.memory + block.first * matrix + x * size, end.memory + x * plan.width, matrix, size,
              block.valid);
    for (int lane = 0; in.horizon && lane < block.valid; ++lane) follow(plan, in, out, block.first + lane);
}

// A gradient that was not passed is zero.
void load_gradient(Vector* to, const float* from, long offset, long stride, int count, int valid) {
    if (from) load(to, from + offset, stride, count, valid);
    else fill_zero(to, count);
}

void load_gradients(const Plan& plan, const Gradients& d, const Workspace& at, Block block) {
    const long size = plan.size, matrix = size * size, registers = plan.registers * size;
    fill_zero(at.d_values, plan.dense * plan.width);
    fill_zero(at.d_pairs, plan.pairs * 2);
    for (int r = 0; r < plan.registers; ++r)
        load_gradient(at.d_registers + r * plan.width, d.new_registers, block.first * registers + r * size,
                      registers, size, block.valid);
    add_zero_probs(plan, d, at.d_registers, block.first, block.valid);
    clip(at.d_registers, plan.registers * plan.width, plan.clip);
    for (int x = 0; x < size; ++x)
        load_gradient(at.d_memory + x * plan.width, d.new_memory, block.first * matrix + x * size, matrix, size,
                      block.valid);
}

void store_gradients(const Plan& plan, const Inputs& in, const Gradients& d, const Workspace& at, Block block) {
    const long size = plan.size, matrix = size * size, registers = plan.registers * size;
    const long action = plan.probs + 1;
    store(d.logits + block.first * action, at.log_probs, action, plan.probs, block.valid);
    for (int r = 0; d.registers && r < plan.registers; ++r)
        store(d.registers + block.first * registers + r * size, at.d_values + r * plan.width, registers, size,
              block.valid);
    for (int x = 0; d.memory && x < size; ++x)
        store(d.memory + block.first * matrix + x * size, at.d_memory + x * plan.width, matrix, size,
              block.valid);
    for (int lane = 0; in.finished && lane < block.valid; ++lane)
        if (in.finished[block.first + lane]) stand_still_backward(plan, d, block.first + lane);
}

// Computes the block forward once more: that is cheaper than to keep what it needs.
void backward_block(const Plan& plan, const Inputs& in, const Gradients& d, const Workspace& at, Block block) {
    load_block(plan, in, at, block);
    soften_all(plan, at);
    Cursor cursor = forward_gates(plan, at);
    load_gradients(plan, d, at, block);
    log_likelihood_backward(plan, in, at, cursor.memory, block, d.log_likelihood);
    update_registers_backward(plan, at, cursor.start);
    while (cursor.gate > 0) backward_gate(plan, at, cursor);
    Vector d_entropy;
    load_gradient(&d_entropy, d.entropy, block.first, 1, 1, block.valid);
    soften_all_backward(plan, at, d_entropy);
    for (int lane = 0; lane < block.valid; ++lane) backward_halting(plan, in, d, block.first + lane);
    store_gradients(plan, in, d, at, block);
}

Block block_at(const Inputs& in, long index) {
    const long first = index * LANES, left = in.batch - first;
    return {first, left < LANES ? (int)left : LANES};
}

long workspace_bytes(const Plan& plan) {
    Workspace at;
    return lay_out(&at, plan, nullptr) * (long)sizeof(Vector);
}

void forward(const Plan& plan, const Inputs& in, const Outputs& out, void* workspace, long block) {
    Workspace at;
    lay_out(&at, plan, (Vector*)workspace);
    forward_block(plan, in, out, at, block_at(in, block));
}

void backward(const Plan& plan, const Inputs& in, const Gradients& d, void* workspace, long block) {
    Workspace at;
    lay_out(&at, plan, (Vector*)workspace);
    backward_block(plan, in, d, at, block_at(in, block));
}

}  // namespace

const Kernels KERNELS = {LANES, workspace_bytes, forward, backward};

}  // namespace nram
