// What the calls work on. Plain data, shared by code that is compiled for different instruction sets: as in
// the machine's plan.h, nothing here may hold inline functions or use the standard library.
#pragma once

namespace learner {

enum Kind { LSTM, FEEDFORWARD };

struct Stack {  // P controllers, and how to run them
    int kind;
    int inputs;           // R
    int hidden;           // H
    int outputs;          // D
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
