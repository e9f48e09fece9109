// What calls of a library share, whatever they compute. Only for the files that hold a C interface.
#pragma once
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace nram {

// 0 baseline, 1 AVX2, 2 AVX-512.
inline int best_instruction_set() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
    return 0;
}

// Denormal numbers, which cost a hundred times more than others, count as zero while this lives.
class FlushDenormals {
#if defined(__x86_64__)
  public:
    FlushDenormals() : before_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before_ | 0x8040); }
    ~FlushDenormals() { __builtin_ia32_ldmxcsr(before_); }

  private:
    unsigned before_;
#endif
};

// Calls run(0) here and run(1)..run(helpers) on threads of their own, or on fewer where there are no more to be
// had: the work must be such that those there do all of it. Waits for all of them, and lets no exception out of
// any; returns whether there was none.
template <class Run>
bool with_helpers(int helpers, const Run& run) {
    std::atomic<bool> sound{true};
    const auto guarded = [&](int thread) noexcept {
        try {
            run(thread);
        } catch (...) {
            sound = false;
        }
    };
    std::vector<std::thread> started;
    try {
        started.reserve(helpers);
        while ((int)started.size() < helpers) started.emplace_back(guarded, (int)started.size() + 1);
    } catch (const std::exception&) {
    }
    guarded(0);
    for (std::thread& thread : started) thread.join();
    return sound;
}

}  // namespace nram
