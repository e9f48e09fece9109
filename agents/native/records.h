// What the calls work on. Plain data, shared by code that is compiled for different instruction sets: as in
// the machine's plan.h, nothing here may hold inline functions or use the standard library.
#pragma once
#include "../../nram_env/machine/backends/native/plan.h"

namespace learner {

enum Kind { LSTM, FEEDFORWARD };

struct Stack {  // P controllers, and how to run them
    int kind;
    int inputs;           // R
    int hidden;           // H
    int outputs;          // D
    int sharp;            // whether controllers read P(r = 0) through a smoothstep
    long long members;    // P
    long long batch;      // B
    int threads;
    int instruction_set;
};

// One timestep. An LSTM's state is h, then c; a feed-forward controller has none.
// activations: encoded, enter, forget, emit, candidate, tanh c; of a feed-forward controller both layers.
// deltas: gradients of what enters the activation functions, of the first layer, then of the second.
struct Step {
    const float* observations;  // (P, B, R)
    const float* state;         // (P, B, 2H), or null
    float* activations;         // (P, B, 6H or 2H)
    float* logits;              // (P, B, D)
    float* new_state;           // (P, B, 2H), or null
    const float* of_logits;     // gradients, of the same shapes, from here on
    const float* of_new_state;
    float* deltas;              // (P, B, 5H or 2H)
    float* of_observations;
    float* of_state;
};

// Whole episodes of P controllers on P x B examples, at most T timesteps long. What has no shape below is a
// number or belongs to the machine. Results are zero (finite: one) before; `credit` only of the mixture loss.
struct Unroll {
    Stack stack;
    long long size;       // N
    const nram::Machine* machine;  // its threads are those for one group of members
    int (*forward)(const nram::Machine*, const nram::Inputs*, const nram::Outputs*);
    int (*backward)(const nram::Machine*, const nram::Inputs*, const nram::Gradients*);
    long long timesteps;  // T
    long long slots;      // timesteps that are kept: T + 1, or 2 if no backward pass follows
    int sharp_registers;  // whether registers are squared and rescaled after each timestep
    double* machine_seconds;       // processor time inside the machine is added here; or null
    const float* parameters;       // (P, N)
    const float* registers;        // (P x B, R, M), like the next five before the first timestep
    const float* memory;           // (P x B, M, M)
    const float* survival;         // (P x B)
    const float* zero_probs;       // (P x B, R)
    const long long* target;       // (P x B, M)
    const unsigned char* mask;     // (P x B, M)
    const long long* horizon;      // (P x B)
    const long long* chance;       // (P x B), what the noise of registers is a function of; or null
    float* tape;                   // learner_tape_floats(unroll) floats
    float* halting;                // (T, P x B), p_t
    float* log_likelihood;         // (T, P x B)
    float* entropy;                // (T, P x B)
    float* halting_entropy;        // (T, P x B)
    float* output;                 // (P x B, M, M), the sum of p_t M_t
    float* credit;                 // (P x B, M), the sum of p_t M_t[i, y_i]; or null
    float* likelihood;             // (T, P x B, M), M_t[i, y_i]; or null
    unsigned char* wrong;          // (P x B, M), output cells whose most probable value is not the wanted one
    unsigned char* finite;         // (P), whether all logits were
    long long* taken;              // (P), timesteps that the member's group took
    const float* of_halting;       // gradients, of the same shapes, from here on
    const float* of_log_likelihood;  // null for the mixture loss
    const float* of_entropy;
    const float* of_halting_entropy;
    const float* of_credit;        // null for the other one
    float* gradient;               // (P, N)
};

struct Update {  // one step of Adam of all members, with noise
    long long members;    // P
    long long size;       // N
    int threads;
    int instruction_set;
    unsigned key[2];      // of the noise
    float clip;           // largest L2 norm of a member's gradient
    float first, second;  // Adam's betas
    float* parameters;    // (P, N), updated in place like the next two
    float* momentum;
    float* variance;
    const float* gradient;     // (P, N)
    const float* rate;         // (P), learning rate with the correction of both biases
    const float* epsilon;      // (P), added to the square root of the variance
    const float* deviation;    // (P), of the noise
    unsigned char* finite;     // (P), whether gradient and new parameters are finite
};

struct Rows {  // (P, N) numbers
    long long rows;       // P
    long long columns;    // N
    int instruction_set;
    const float* values;
    unsigned char* finite;  // (P), whether all numbers of the row are
};

// One set of kernels; a call computes one member.
struct Kernels {
    void (*forward)(const Stack&, const float* parameters, const Step&, long member);
    void (*transpose)(const Stack&, const float* parameters, float* transposed, long member);
    void (*backward)(const Stack&, const float* transposed, const Step&, float* workspace, long member);
    long (*gradient_floats)(const Stack&);  // size of the workspace of the next
    void (*gradient)(const Stack&, const Step* steps, long count, float* workspace, float* gradient, long member);
    void (*update)(const Update&, float* workspace, long member);
    bool (*finite)(const float* values, long count);
};

extern const Kernels baseline_kernels;
#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

}  // namespace learner
