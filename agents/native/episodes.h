// Whole episodes: the controllers and their machines in turn, a few members at a time, so that what the one
// leaves is still near when the other needs it.
#pragma once
#include <time.h>

#include <cstring>
#include <mutex>
#include <utility>

#include "sharpness.h"
#include "tape.h"

namespace learner {

// Processor seconds inside the machine, where they are asked for.
class Stopwatch {
  public:
    explicit Stopwatch(double* total) : total_(total), start_(total ? now() : 0) {}
    ~Stopwatch() {
        if (!total_) return;
        static std::mutex one_at_a_time;
        const std::lock_guard<std::mutex> lock(one_at_a_time);
        *total_ += now() - start_;
    }

  private:
    static double now() {
        timespec at;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
        return at.tv_sec + 1e-9 * at.tv_nsec;
    }
    double* total_;
    double start_;
};

// The members of one group and their examples.
class Episodes {
  public:
    Episodes(const Unroll& all, const Kernels& kernels, long group) : all_(all), kernels_(kernels), stack_(all.stack) {
        const long most = members_at_once(all), left = all.stack.members - group * most;
        first_ = group * most;
        stack_.members = left < most ? left : most;
        row_ = first_ * stack_.batch, rows_ = stack_.members * stack_.batch, total_ = all.stack.members * stack_.batch;
        size_ = all.machine->size;
        tape_ = all.tape + group * all.slots * slot_floats(all, most * stack_.batch);
    }

    // Until the last example has finished. Returns a status of the machine.
    int play() const {
        if (all_.credit && !targets_fit()) return 2;
        begin(slot(0));
        long t = 0;
        for (bool running = true; running && t < all_.timesteps; ++t) {
            const Slot now = slot(t), next = slot(t + 1);
            decide(now, next);
            if (const int status = move(now, next, t)) return status;
            if (all_.credit) add_credit(next, t);
            running = std::memchr(next.finished, 0, rows_);
        }
        for (long member = 0; member < stack_.members; ++member) all_.taken[first_ + member] = t;
        judge();
        return 0;
    }

    // The gradient of the parameters.
    int learn(float* floats) const {
        Carver carver{(float*)(((size_t)floats + 63) / 64 * 64)};
        Workspace at(all_, kernels_, carver);
        begin_backward(at);
        const long taken = all_.taken[first_];
        for (long t = taken; t-- > 0; std::swap(at.coming, at.going)) {
            if (all_.credit) add_likelihood_gradient(at.coming.memory, t);
            if (const int status = move_back(at, t)) return status;
            at.steps[taken - 1 - t] = decide_back(at, t);
        }
        for (long member = 0; member < stack_.members; ++member)
            kernels_.gradient(stack_, at.steps, taken, at.gradient, all_.gradient + first_ * all_.size, member);
        return 0;
    }

  private:
    Slot slot(long t) const {
        Carver carver{tape_ + t % all_.slots * slot_floats(all_, rows_)};
        return Slot(all_, rows_, carver);
    }

    template <class Number>
    void copy(Number* to, const Number* from, long each) const {
        std::memcpy(to, from + row_ * each, rows_ * each * sizeof(Number));
    }

    void begin(const Slot& at) const {
        std::memset(at.elapsed, 0, rows_ * sizeof(long long));
        std::memset(at.finished, 0, rows_);
        copy(at.registers, all_.registers, stack_.inputs * size_);
        copy(at.memory, all_.memory, size_ * size_);
        copy(at.survival, all_.survival, 1);
        copy(at.zero_probs, all_.zero_probs, stack_.inputs);
        sharpen(at);
        if (stack_.kind == LSTM) std::memset(at.state, 0, 4 * rows_ * 2 * stack_.hidden);
    }

    const float* parameters() const { return all_.parameters + first_ * all_.size; }

    // What the controllers see, and room for what they make of it.
    Step step(const Slot& now, const Slot& next) const {
        Step step{};
        step.observations = now.zero_probs, step.state = now.state, step.activations = now.activations;
        step.logits = now.logits, step.new_state = next.state;
        return step;
    }

    void decide(const Slot& now, const Slot& next) const {
        const Step controllers = step(now, next);
        const long count = stack_.batch * stack_.outputs;
        for (long member = 0; member < stack_.members; ++member) {
            kernels_.forward(stack_, parameters(), controllers, member);
            all_.finite[first_ + member] &= kernels_.finite(now.logits + member * count, count);
        }
        silence(now.logits);
    }

    // Zeros for the members whose logits are or were not finite.
    void silence(float* logits) const {
        const long count = stack_.batch * stack_.outputs;
        for (long member = 0; member < stack_.members; ++member)
            if (!all_.finite[first_ + member]) std::memset(logits + member * count, 0, 4 * count);
    }

    // Element `row` of the timesteps' results, each `each` numbers wide.
    template <class Number>
    Number* at_step(Number* start, long t, long each = 1) const {
        return start ? start + (t * total_ + row_) * each : nullptr;
    }

    nram::Inputs inputs(const Slot& now) const {
        nram::Inputs in{};
        in.batch = rows_, in.registers = now.registers, in.memory = now.memory, in.survival = now.survival;
        in.logits = now.logits, in.horizon = all_.horizon + row_, in.elapsed = now.elapsed;
        in.finished = now.finished, in.output = all_.output + row_ * size_ * size_;
        if (!all_.credit) in.target = all_.target + row_ * size_, in.mask = all_.mask + row_ * size_;
        return in;
    }

    int move(const Slot& now, const Slot& next, long t) const {
        const Stopwatch stopwatch(all_.machine_seconds);
        const nram::Inputs in = inputs(now);
        nram::Outputs out{};
        out.registers = next.registers, out.memory = next.memory, out.survival = next.survival;
        out.entropy = at_step(all_.entropy, t), out.halting_entropy = at_step(all_.halting_entropy, t);
        out.log_likelihood = at_step(all_.log_likelihood, t), out.halting = at_step(all_.halting, t);
        out.zero_probs = next.zero_probs, out.output = (float*)in.output;  // which only grows
        out.elapsed = next.elapsed, out.finished = next.finished;
        const int code = all_.forward(all_.machine, &in, &out);
        sharpen_registers(now, next, t);
        sharpen(next);
        return code;
    }

    // Calls visit(register) for all of the rows that had not finished, if registers are sharpened.
    template <class Visit>
    void for_sharpened(const Slot& now, const Visit& visit) const {
        const long count = stack_.inputs;
        for (long i = 0; all_.sharp_registers && i < rows_ * count; ++i)
            if (!now.finished[i / count]) visit(i);
    }

    // Of register i of all rows.
    Weights weights(long i, long t) const {
        const long count = stack_.inputs;
        const long long chance = all_.chance ? all_.chance[row_ + i / count] : 0;
        return chance ? Weights(chance, t, i % count * size_) : Weights();
    }

    void sharpen_registers(const Slot& now, const Slot& next, long t) const {
        for_sharpened(now, [&](long i) {
            square(next.registers + i * size_, weights(i, t), size_);
            next.zero_probs[i] = next.registers[i * size_];
        });
    }

    // The gradients of what the next timestep has to those of what this one made.
    void sharpen_registers_back(const Slot& now, const Slot& next, const Workspace& at, long t) const {
        for_sharpened(now, [&](long i) {
            float* gradient = at.coming.registers + i * size_;
            gradient[0] += at.zero_probs[i], at.zero_probs[i] = 0;
            square_back(next.registers + i * size_, weights(i, t), gradient, size_);
        });
    }

    // P(r = 0) as the controllers read it.
    void sharpen(const Slot& at) const {
        for (long i = 0; stack_.sharp && i < rows_ * stack_.inputs; ++i)
            at.zero_probs[i] *= at.zero_probs[i] * (3 - 2 * at.zero_probs[i]);
    }

    // The gradient of what they read to that of P(r = 0).
    void sharpen_back(const Slot& at, float* of_observations) const {
        for (long i = 0; stack_.sharp && i < rows_ * stack_.inputs; ++i) {
            const float p = at.registers[i * size_];
            of_observations[i] *= 6 * p * (1 - p);
        }
    }

    // The machine sees to that itself where it is given the targets.
    bool targets_fit() const {
        for (long cell = row_ * size_; cell < (row_ + rows_) * size_; ++cell)
            if (all_.target[cell] < 0 || all_.target[cell] >= size_) return false;
        return true;
    }

    // Calls visit(where in (rows, M), where in (rows, M, M)) for the wanted value of every output cell.
    template <class Visit>
    void for_wanted(const Visit& visit) const {
        for (long cell = 0; cell < rows_ * size_; ++cell)
            if (all_.mask[row_ * size_ + cell]) visit(cell, cell * size_ + all_.target[row_ * size_ + cell]);
    }

    void judge() const {
        unsigned char* wrong = all_.wrong + row_ * size_;
        for_wanted([&](long cell, long place) {
            const float* output = all_.output + (row_ * size_ + cell) * size_;
            long best = 0;
            for (long value = 1; value < size_; ++value)
                if (output[value] > output[best]) best = value;
            wrong[cell] = best != place - cell * size_;
        });
    }

    // The mixture loss: adds p_t times the probability of each wanted value, and notes that probability.
    void add_credit(const Slot& next, long t) const {
        float* likelihood = at_step(all_.likelihood, t, size_);
        float* credit = all_.credit + row_ * size_;
        const float* halting = at_step(all_.halting, t);
        for_wanted([&](long cell, long place) {
            likelihood[cell] = next.memory[place];
            credit[cell] += halting[cell / size_] * likelihood[cell];
        });
    }

    void add_likelihood_gradient(float* of_memory, long t) const {
        const float* halting = at_step(all_.halting, t);
        const float* of_credit = all_.of_credit + row_ * size_;
        for_wanted([&](long cell, long place) { of_memory[place] += of_credit[cell] * halting[cell / size_]; });
    }

    void begin_backward(const Workspace& at) const {
        for (long member = 0; member < stack_.members; ++member)
            kernels_.transpose(stack_, parameters(), at.transposed, member);
        std::memset(at.coming.registers, 0, 4 * rows_ * stack_.inputs * size_);
        std::memset(at.coming.memory, 0, 4 * rows_ * size_ * size_);
        std::memset(at.coming.survival, 0, 4 * rows_);
        std::memset(at.coming.state, 0, 4 * rows_ * 2 * stack_.hidden);
        std::memset(at.zero_probs, 0, 4 * rows_ * stack_.inputs);
    }

    int move_back(const Workspace& at, long t) const {
        const Stopwatch stopwatch(all_.machine_seconds);
        const Slot now = slot(t);
        sharpen_registers_back(now, slot(t + 1), at, t);
        const nram::Inputs in = inputs(now);
        nram::Gradients d{};
        d.new_registers = at.coming.registers, d.new_memory = at.coming.memory, d.new_survival = at.coming.survival;
        d.entropy = at_step(all_.of_entropy, t), d.halting_entropy = at_step(all_.of_halting_entropy, t);
        d.log_likelihood = at_step(all_.of_log_likelihood, t), d.halting = at_step(all_.of_halting, t);
        d.zero_probs = at.zero_probs;
        if (t > 0) d.registers = at.going.registers, d.memory = at.going.memory;
        d.survival = at.going.survival, d.logits = now.logits;
        return all_.backward(all_.machine, &in, &d);
    }

    Step decide_back(const Workspace& at, long t) const {
        const Slot now = slot(t), next = slot(t + 1);
        silence(now.logits);
        Step controllers = step(now, next);
        controllers.of_logits = now.logits, controllers.of_new_state = at.coming.state;
        controllers.deltas = at.deltas + t * at.deltas_a_step;
        controllers.of_observations = at.zero_probs, controllers.of_state = at.going.state;
        for (long member = 0; member < stack_.members; ++member)
            kernels_.backward(stack_, at.transposed, controllers, at.backward, member);
        sharpen_back(now, at.zero_probs);
        return controllers;
    }

    const Unroll& all_;
    const Kernels& kernels_;
    Stack stack_;  // of the group's members
    long first_, row_, rows_, total_, size_;  // first member and row; rows here and of all
    float* tape_;
};

}  // namespace learner
