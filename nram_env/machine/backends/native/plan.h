// What one call computes: the shape of the machine, the arrays, and where choices lie.
//
// Plain data, shared by code that is compiled for different instruction sets. Nothing here may hold inline
// functions or use the standard library: the linker keeps one copy of such code, and it might keep one that
// this processor cannot run.
#pragma once

namespace nram {

enum Gate { READ, ZERO, ONE, TWO, INC, ADD, SUB, DEC, LESS, LESS_EQUAL, EQUAL, MIN, MAX, WRITE, GATE_COUNT };

// Values are of three kinds. Dense ones are distributions over 0..M-1. A constant is one-hot at a known place.
// A pair is the output of a comparison: only the probabilities of 0 and 1 can differ from zero.
enum Kind { DENSE, CONSTANT, PAIR };

struct Machine {  // a machine and how to run it, as the callers of the library know it
    int registers, size, gates, threads, instruction_set, rescale;
    float clip, log_floor, floor;
    const int* gate;
};

struct Plan {
    int registers;    // R
    int size;         // M
    int width;        // M rounded up to a multiple of 4; the rest of a row holds zeros
    int gates;        // Q
    int probs;        // K
    int arguments;    // selectors of all gates together
    int dense;        // registers and gates with dense values
    int pairs;        // comparisons
    int writes;       // how often WRITE occurs
    const int* gate;  // (Q) which gate
    const int* kind;  // (R + Q) kind of each value
    const int* rank;  // (R + Q) its number among the dense values, or among the others
    const int* place; // (R + Q) column of a constant, number of a pair
    const int* dense_before;  // (Q + 1) dense values among the choices of gate i, and of a register
    bool rescale;     // divide new distributions by their sums
    float clip;       // limit of activation gradients; infinite for none
    float log_floor;  // probabilities below it count as it
    float floor;      // a run ends once its survival is below it
};

struct Inputs {
    long batch;              // B
    const float* registers;  // (B, R, M)
    const float* memory;     // (B, M, M)
    const float* survival;   // (B)
    const float* logits;     // (B, K + 1)
    const long long* target; // (B, M), or null
    const unsigned char* mask;  // (B, M), or null
    const long long* horizon;   // (B) of the runs to be followed; null, like the next three, where none are
    const long long* elapsed;   // (B)
    const unsigned char* finished;  // (B)
    const float* output;        // (B, M, M)
};

struct Outputs {
    float* registers;
    float* memory;
    float* survival;
    float* entropy;         // (B)
    float* halting_entropy; // (B)
    float* log_likelihood;  // (B)
    float* halting;         // (B) of the runs that are followed, like all from here on
    float* zero_probs;      // (B, R)
    float* output;          // (B, M, M)
    long long* elapsed;     // (B)
    unsigned char* finished;  // (B)
};

// Of the outputs, then of the inputs; any may be null. Those of the logits may take the logits' place.
struct Gradients {
    const float* new_registers;
    const float* new_memory;
    const float* new_survival;
    const float* entropy;
    const float* halting_entropy;
    const float* log_likelihood;
    const float* halting;
    const float* zero_probs;
    float* registers;
    float* memory;
    float* survival;
    float* logits;
};

// One set of kernels. `lanes` neighbouring examples make a block, and a call computes one.
struct Kernels {
    int lanes;
    long (*workspace_bytes)(const Plan&);
    void (*forward)(const Plan&, const Inputs&, const Outputs&, void* workspace, long block);
    void (*backward)(const Plan&, const Inputs&, const Gradients&, void* workspace, long block);
};

extern const Kernels baseline_kernels;
#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

}  // namespace nram
