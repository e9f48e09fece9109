// The C interface: picks the instruction set and shares the members among threads.
#include <atomic>
#include <exception>
#include <vector>

#include "../../nram_env/machine/backends/native/running.h"
#include "episodes.h"

namespace {

using namespace learner;

enum Status : int { OK = 0, NO_MEMORY = 1 };

const Kernels& kernels_of(int instruction_set) {
#if defined(__x86_64__)
    if (instruction_set == 2) return avx512_kernels;
    if (instruction_set == 1) return avx2_kernels;
#endif
    (void)instruction_set;
    return baseline_kernels;
}

// Starting a thread costs as much as some hundred thousand multiply-adds.
int helpers_for(double work, long members, int threads) {
    const double most = work / 500000 < members ? work / 500000 : members;
    return most < threads ? (most < 1 ? 0 : (int)most - 1) : threads - 1;
}

// Calls work(workspace, member) for all members, which the threads take one by one.
template <class Work>
int share(long members, int helpers, size_t workspace_floats, Work work) try {
    std::vector<std::vector<float>> workspaces(helpers + 1, std::vector<float>(workspace_floats));
    std::atomic<long> next{0};
    const bool sound = nram::with_helpers(helpers, [&](int thread) {
        [[maybe_unused]] const nram::FlushDenormals flush;
        for (long member; (member = next++) < members;) work(workspaces[thread].data(), member);
    });
    return sound ? OK : NO_MEMORY;
} catch (const std::exception&) {
    return NO_MEMORY;
}

// Calls work(workspace, episodes) for all groups of members; returns the status of one that failed, if any did.
template <class Work>
int share(const Unroll& all, size_t workspace_floats, Work work) {
    const long groups = groups_of(all);
    const Stack& stack = all.stack;
    const double a_step = (double)stack.hidden * (8.0 * stack.hidden + stack.outputs) * stack.batch * stack.members;
    std::atomic<int> status{OK};
    const int failed = share(groups, helpers_for(a_step * all.timesteps, groups, stack.threads), workspace_floats,
                             [&](float* workspace, long group) {
                                 const Episodes episodes(all, kernels_of(stack.instruction_set), group);
                                 if (const int found = work(workspace, episodes)) status = found;
                             });
    return failed ? failed : (int)status;
}

}  // namespace

#define EXPORTED __attribute__((visibility("default")))

extern "C" {

// The best instruction set that this processor has: 0 baseline, 1 AVX2, 2 AVX-512.
EXPORTED int learner_instruction_set() { return nram::best_instruction_set(); }

// Sizes of the records of the calls below, 0 behind the last: the caller's must be the same.
EXPORTED int nram_record_size(int record) {
    constexpr size_t sizes[] = {sizeof(Stack), sizeof(Unroll), sizeof(Update), sizeof(Rows)};
    return record < 4 ? (int)sizes[record] : 0;
}

// Floats that `tape` must have room for.
EXPORTED long long learner_tape_floats(const Unroll* all) { return tape_floats(*all); }

// Plays all episodes.
EXPORTED int learner_forward(const Unroll* all) {
    return share(*all, 0, [](float*, const Episodes& episodes) { return episodes.play(); });
}

// The gradient (P, N) of all parameters. The tape serves once.
EXPORTED int learner_backward(const Unroll* all) {
    const long floats = workspace_floats(*all, kernels_of(all->stack.instruction_set));
    return share(*all, floats, [](float* workspace, const Episodes& episodes) { return episodes.learn(workspace); });
}

EXPORTED int learner_update(const Update* update) {
    const Kernels& kernels = kernels_of(update->instruction_set);
    const int helpers = helpers_for(20.0 * update->members * update->size, update->members, update->threads);
    return share(update->members, helpers, update->size + 64, [&](float* workspace, long member) {
        kernels.update(*update, workspace, member);
    });
}

EXPORTED int learner_finite(const Rows* all) {
    const Kernels& kernels = kernels_of(all->instruction_set);
    for (long row = 0; row < all->rows; ++row)
        all->finite[row] = kernels.finite(all->values + row * all->columns, all->columns);
    return OK;
}

}  // extern "C"
