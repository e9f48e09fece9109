// The C interface: lays out the plan, picks the instruction set and shares the blocks among threads.
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "plan.h"
#include "running.h"

namespace {

using nram::Kernels;
using nram::Machine;
using nram::Plan;

enum Status : int { OK = 0, NO_MEMORY = 1, BAD_TARGET = 2, BAD_GATE = 3 };

int arity(int gate) {
    if (gate == nram::ZERO || gate == nram::ONE || gate == nram::TWO) return 0;
    return gate == nram::READ || gate == nram::INC || gate == nram::DEC ? 1 : 2;
}

int kind_of(int gate) {
    if (gate == nram::ZERO || gate == nram::ONE || gate == nram::TWO) return nram::CONSTANT;
    return gate == nram::LESS || gate == nram::LESS_EQUAL || gate == nram::EQUAL ? nram::PAIR : nram::DENSE;
}

// A plan and the tables that it points to. It throws nothing, as nothing may that a learner's threads call: to throw
// takes memory, and where there is none the process ends.
class OwnedPlan {
  public:
    Plan plan{};

    explicit OwnedPlan(const Machine& machine) {
        const int values = machine.registers + machine.gates;
        kind_ = (int*)std::malloc(sizeof(int) * (3 * values + machine.gates + 1));
        if (!kind_) return;
        rank_ = kind_ + values, place_ = rank_ + values, dense_before_ = place_ + values;
        plan.registers = machine.registers, plan.size = machine.size, plan.width = (machine.size + 3) / 4 * 4;
        plan.gates = machine.gates, plan.gate = machine.gate, plan.rescale = machine.rescale;
        plan.clip = machine.clip, plan.log_floor = machine.log_floor, plan.floor = machine.floor;
        for (int r = 0; r < plan.registers; ++r) add_value(r, nram::DENSE, 0);
        for (int i = 0; i < plan.gates; ++i) add_gate(i);
        dense_before_[plan.gates] = plan.dense;
        plan.probs += plan.registers * values;
        plan.kind = kind_, plan.rank = rank_, plan.place = place_, plan.dense_before = dense_before_;
    }
    OwnedPlan(const OwnedPlan&) = delete;
    ~OwnedPlan() { std::free(kind_); }

    // Whether there was memory for it.
    explicit operator bool() const { return kind_; }

  private:
    void add_gate(int i) {
        const int gate = plan.gate[i], value = plan.registers + i, of_kind = kind_of(gate);
        dense_before_[i] = plan.dense;
        plan.arguments += arity(gate);
        plan.probs += arity(gate) * value;
        plan.writes += gate == nram::WRITE;
        add_value(value, of_kind, of_kind == nram::CONSTANT ? (gate - nram::ZERO) % plan.size : plan.pairs);
        plan.pairs += of_kind == nram::PAIR;
    }

    void add_value(int value, int of_kind, int where) {
        rank_[value] = of_kind == nram::DENSE ? plan.dense : value - plan.dense;
        kind_[value] = of_kind, place_[value] = where;
        plan.dense += of_kind == nram::DENSE;
    }

    int *kind_, *rank_, *place_, *dense_before_;
};

const Kernels& kernels_of(int instruction_set) {
#if defined(__x86_64__)
    if (instruction_set == 2) return nram::avx512_kernels;
    if (instruction_set == 1) return nram::avx2_kernels;
#endif
    (void)instruction_set;
    return nram::baseline_kernels;
}

// Memory that a calling thread keeps from call to call: fresh pages would cost more than a small batch does.
// It hangs on a key and is no thread_local object: to destroy those, C++ takes memory when a thread first uses
// them, and ends the process where there is none.
class Scratch {
  public:
    Scratch() { usable_ = !pthread_key_create(&key_, std::free); }

    // Null where there is no memory.
    char* of_size(size_t bytes) const {
        if (!usable_) return nullptr;
        Block* block = (Block*)pthread_getspecific(key_);
        if (block && block->bytes >= bytes) return block->start;
        std::free(block);
        block = (Block*)std::aligned_alloc(64, sizeof(Block) + bytes);
        if (pthread_setspecific(key_, block)) std::free(block), block = nullptr;
        if (!block) return nullptr;
        block->bytes = bytes;
        return block->start;
    }

  private:
    struct Block {
        alignas(64) size_t bytes;
        alignas(64) char start[64];  // and more
    };
    pthread_key_t key_;
    bool usable_;
};

const Scratch scratch;

// How many threads pay: starting one costs as much as some hundred thousand multiply-adds.
int worthwhile_threads(const Plan& plan, long batch, long blocks, int threads) {
    const double work = (double)batch * plan.size * (plan.probs + 4.0 * plan.size);
    const double most = work / 500000 < blocks ? work / 500000 : blocks;
    return most < 1 ? 1 : most < threads ? (int)most : threads;
}

// Calls work(workspace, block) for all blocks, which the threads take one by one. Which thread computes a
// block changes nothing in its numbers.
template <class Work>
Status share(const Kernels& kernels, const Plan& plan, long batch, int threads, Work work) {
    const long blocks = (batch + kernels.lanes - 1) / kernels.lanes;
    const int helpers = worthwhile_threads(plan, batch, blocks, threads) - 1;
    const size_t bytes = (kernels.workspace_bytes(plan) + 63) / 64 * 64;
    char* workspaces = scratch.of_size(bytes * (helpers + 1));
    if (!workspaces) return NO_MEMORY;
    std::atomic<long> next{0};
    const auto run = [&](int thread) {
        [[maybe_unused]] const nram::FlushDenormals flush;
        char* workspace = workspaces + thread * bytes;
        if (plan.width > plan.size) std::memset(workspace, 0, bytes);  // the padding of rows must be zero
        for (long block; (block = next++) < blocks;) work(workspace, block);
    };
    return nram::with_helpers(helpers, run) ? OK : NO_MEMORY;
}

bool targets_fit(const nram::Inputs& in, long size) {
    for (long i = 0; in.target && i < in.batch * size; ++i)
        if (in.target[i] < 0 || in.target[i] >= size) return false;
    return true;
}

bool gates_known(const int* gate, int gates) {
    for (int i = 0; i < gates; ++i)
        if (gate[i] < 0 || gate[i] >= nram::GATE_COUNT) return false;
    return true;
}

}  // namespace

#define EXPORTED __attribute__((visibility("default")))

extern "C" {

// The best instruction set that this processor has: 0 baseline, 1 AVX2, 2 AVX-512.
EXPORTED int nram_instruction_set() { return nram::best_instruction_set(); }

// Sizes of the records of the calls below, 0 behind the last: the caller's must be the same.
EXPORTED int nram_record_size(int record) {
    constexpr size_t sizes[] = {sizeof(Machine), sizeof(nram::Inputs), sizeof(nram::Outputs), sizeof(nram::Gradients)};
    return record < 4 ? (int)sizes[record] : 0;
}

EXPORTED int nram_forward(const Machine* machine, const nram::Inputs* in, const nram::Outputs* out) {
    if (!gates_known(machine->gate, machine->gates)) return BAD_GATE;
    if (!targets_fit(*in, machine->size)) return BAD_TARGET;
    const OwnedPlan owned(*machine);
    if (!owned) return NO_MEMORY;
    const Kernels& kernels = kernels_of(machine->instruction_set);
    return share(kernels, owned.plan, in->batch, machine->threads, [&](void* workspace, long block) {
        kernels.forward(owned.plan, *in, *out, workspace, block);
    });
}

EXPORTED int nram_backward(const Machine* machine, const nram::Inputs* in, const nram::Gradients* gradients) {
    const OwnedPlan owned(*machine);
    if (!owned) return NO_MEMORY;
    const Kernels& kernels = kernels_of(machine->instruction_set);
    return share(kernels, owned.plan, in->batch, machine->threads, [&](void* workspace, long block) {
        kernels.backward(owned.plan, *in, *gradients, workspace, block);
    });
}

}  // extern "C"
