// The C interface: lays out the plan, picks the instruction set and shares the blocks among threads.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

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

// A plan and the tables that it points to.
struct OwnedPlan {
    Plan plan{};
    std::vector<int> kind, rank, place, dense_before;

    explicit OwnedPlan(const Machine& machine) {
        plan.registers = machine.registers, plan.size = machine.size, plan.width = (machine.size + 3) / 4 * 4;
        plan.gates = machine.gates, plan.gate = machine.gate, plan.rescale = machine.rescale;
        plan.clip = machine.clip, plan.log_floor = machine.log_floor, plan.floor = machine.floor;
        for (int r = 0; r < plan.registers; ++r) add_value(nram::DENSE, 0);
        for (int i = 0; i < plan.gates; ++i) add_gate(plan.gate[i], plan.registers + i);
        dense_before.push_back(plan.dense);
        plan.probs += plan.registers * (plan.registers + plan.gates);
        plan.kind = kind.data(), plan.rank = rank.data(), plan.place = place.data();
        plan.dense_before = dense_before.data();
    }

    void add_gate(int gate, int choices) {
        dense_before.push_back(plan.dense);
        plan.arguments += arity(gate);
        plan.probs += arity(gate) * choices;
        plan.writes += gate == nram::WRITE;
        const int of_kind = kind_of(gate);
        add_value(of_kind, of_kind == nram::CONSTANT ? (gate - nram::ZERO) % plan.size : plan.pairs);
        plan.pairs += of_kind == nram::PAIR;
    }

    void add_value(int of_kind, int where) {
        const int others = (int)kind.size() - plan.dense;
        rank.push_back(of_kind == nram::DENSE ? plan.dense : others);
        kind.push_back(of_kind);
        place.push_back(where);
        plan.dense += of_kind == nram::DENSE;
    }
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
class Scratch {
  public:
    ~Scratch() { std::free(start_); }

    char* of_size(size_t bytes) {
        if (bytes > bytes_) {
            std::free(start_);
            start_ = (char*)std::aligned_alloc(64, bytes);
            bytes_ = start_ ? bytes : 0;
        }
        return start_;
    }

  private:
    char* start_ = nullptr;
    size_t bytes_ = 0;
};

thread_local Scratch scratch;

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
    nram::with_helpers(helpers, run);
    return OK;
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

EXPORTED int nram_forward(const Machine* machine, const nram::Inputs* in, const nram::Outputs* out) try {
    if (!gates_known(machine->gate, machine->gates)) return BAD_GATE;
    if (!targets_fit(*in, machine->size)) return BAD_TARGET;
    const OwnedPlan owned(*machine);
    const Kernels& kernels = kernels_of(machine->instruction_set);
    return share(kernels, owned.plan, in->batch, machine->threads, [&](void* workspace, long block) {
        kernels.forward(owned.plan, *in, *out, workspace, block);
    });
} catch (const std::bad_alloc&) {
    return NO_MEMORY;
}

EXPORTED int nram_backward(const Machine* machine, const nram::Inputs* in, const nram::Gradients* gradients) try {
    const OwnedPlan owned(*machine);
    const Kernels& kernels = kernels_of(machine->instruction_set);
    return share(kernels, owned.plan, in->batch, machine->threads, [&](void* workspace, long block) {
        kernels.backward(owned.plan, *in, *gradients, workspace, block);
    });
} catch (const std::bad_alloc&) {
    return NO_MEMORY;
}

}  // extern "C"
