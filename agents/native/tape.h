// Where whole episodes keep what they need: groups of members, the slots of their timesteps, workspaces.
#pragma once
#include <numeric>

#include "records.h"

namespace learner {

// So many examples, or a multiple, fill the lanes of any machine's blocks.
constexpr long BLOCK = 16;

inline long members_at_once(const Unroll& all) {
    const long batch = all.stack.batch, members = BLOCK / std::gcd(batch, BLOCK);
    return members < all.stack.members ? members : all.stack.members;
}

inline long groups_of(const Unroll& all) {
    const long members = members_at_once(all);
    return (all.stack.members + members - 1) / members;
}

// Takes arrays from a piece of memory, one behind the other; without one it counts what they need.
struct Carver {
    float* start;
    long taken = 0;

    template <class Number = float>
    Number* take(long count) {
        const long floats = (count * (long)sizeof(Number) + 63) / 64 * 16;
        taken += floats;
        return start ? (Number*)(start + taken - floats) : nullptr;
    }
};

// What is kept of a timestep of `rows` examples: the state before it, and what the controllers made of that.
// The backward pass puts the gradients of the logits in their place.
struct Slot {
    long long* elapsed;
    unsigned char* finished;
    float *registers, *memory, *survival, *zero_probs, *state, *activations, *logits;

    Slot(const Unroll& all, long rows, Carver& carver) {
        const long size = all.machine->size, hidden = all.stack.hidden, lstm = all.stack.kind == LSTM;
        elapsed = carver.take<long long>(rows);
        finished = carver.take<unsigned char>(rows);
        registers = carver.take(rows * all.stack.inputs * size);
        memory = carver.take(rows * size * size);
        survival = carver.take(rows);
        zero_probs = carver.take(rows * all.stack.inputs);
        state = carver.take(lstm ? rows * 2 * hidden : 0);
        activations = carver.take(rows * (lstm ? 6 : 2) * hidden);
        logits = carver.take(rows * all.stack.outputs);
    }
};

inline long slot_floats(const Unroll& all, long rows) {
    Carver counter{nullptr};
    (void)Slot(all, rows, counter);
    return counter.taken;
}

inline long tape_floats(const Unroll& all) {
    return groups_of(all) * all.slots * slot_floats(all, members_at_once(all) * all.stack.batch);
}

// The gradients that pass from timestep to timestep, twice: those that come and those that go.
struct Passing {
    float *registers, *memory, *survival, *state;

    Passing(const Unroll& all, long rows, Carver& carver) {
        const long size = all.machine->size;
        registers = carver.take(rows * all.stack.inputs * size);
        memory = carver.take(rows * size * size);
        survival = carver.take(rows);
        state = carver.take(rows * 2 * all.stack.hidden);
    }
};

struct Workspace {
    float* transposed;
    Passing coming, going;
    float *zero_probs, *deltas, *backward, *gradient;
    Step* steps;  // from the last to the first
    long deltas_a_step;

    Workspace(const Unroll& all, const Kernels& kernels, Carver& carver)
        : transposed(carver.take(members_at_once(all) * all.size)),
          coming(all, members_at_once(all) * all.stack.batch, carver),
          going(all, members_at_once(all) * all.stack.batch, carver) {
        const long rows = members_at_once(all) * all.stack.batch;
        deltas_a_step = rows * (all.stack.kind == LSTM ? 5 : 2) * all.stack.hidden;
        zero_probs = carver.take(rows * all.stack.inputs);
        deltas = carver.take(all.timesteps * deltas_a_step);
        steps = carver.take<Step>(all.timesteps);
        backward = carver.take(all.stack.batch * all.stack.hidden);
        gradient = carver.take(kernels.gradient_floats(all.stack));
    }
};

inline long workspace_floats(const Unroll& all, const Kernels& kernels) {
    Carver counter{nullptr};
    (void)Workspace(all, kernels, counter);
    return counter.taken + 16;  // to begin at a multiple of 64 bytes
}

}  // namespace learner
