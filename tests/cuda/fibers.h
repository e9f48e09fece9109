// The threads of a block as fibers: each runs until it waits for others, and then any that can run goes on, by a seed.
// What is wrong on a card ends the launch with a message: see `fail` and what calls it.
#pragma once
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <mutex>
#include <numeric>
#include <utility>
#include <vector>
#if defined(__x86_64__) && !defined(ANY_PROCESSOR)
#define OWN_SWITCH
#else
#include <ucontext.h>
#endif

namespace emulation {
constexpr int MOST_THREADS = 1024, WARP = 32, MOST_SHARED = 227 * 1024;
constexpr size_t STACK = 1 << 18, PAGE = 1 << 16, ROOM = 4 * PAGE, FENCE = 1 << 28;  // of whole pages, on every system
enum Meeting { NONE, BARRIER, COUNT, SYNCWARP, SHUFFLE, VOTE };
constexpr const char* MEETINGS[] = {"nothing", "__syncthreads", "a counting __syncthreads", "__syncwarp",
                                    "a shuffle", "a vote"};
#ifdef OWN_SWITCH
typedef void* Context;
#else
typedef ucontext_t Context;
#endif
struct Fiber {
    Context at;
    Meeting waits;
    unsigned mask;
    int source;
    uint64_t value, result;
};
struct Block {
    Fiber fibers[MOST_THREADS];
    int ready[MOST_THREADS], threads, can_run, running, alive, arrived;
    unsigned lanes[MOST_THREADS / WARP], waiting[MOST_THREADS / WARP];  // alive, and at a meeting of the warp
    void (*body)(const void*);
    const void* record;
    Context outside;
};
static Block block;
static char *stacks, *shared_room, *shared_end, *shared;
static int shared_size, block_index;
static uint64_t chance;
static char message[400];
static sigjmp_buf failure;
static void resumed();  // tells the kernel's code which thread it is now

[[noreturn]] static void fail(const char* words, ...) {
    va_list values;
    va_start(values, words);
    int used = snprintf(message, sizeof message, "block %d", block_index);
    if (block.alive) used += snprintf(message + used, sizeof message - used, ", thread %d", block.running);
    used += snprintf(message + used, sizeof message - used, ": ");
    vsnprintf(message + used, sizeof message - used, words, values);
    va_end(values);
    siglongjmp(failure, 1);
}
static unsigned below(unsigned n) {  // splitmix64
    uint64_t z = chance += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u, z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)(((z >> 32) * n) >> 32);
}

static void enter();
#ifdef OWN_SWITCH
extern "C" void nram_switch_fiber(Context* from, Context to);
asm(R"(
.text
.hidden nram_switch_fiber
.globl nram_switch_fiber
nram_switch_fiber:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");
static void go(Context& from, Context& to) { nram_switch_fiber(&from, to); }
static void prepare(Context& at, char* low, char* top) {
    (void)low;
    void** p = (void**)top;
    *--p = nullptr;
    *--p = (void*)enter;
    for (int i = 0; i < 6; ++i) *--p = nullptr;
    at = p;
}
#else
static void go(Context& from, Context& to) { swapcontext(&from, &to); }
static void prepare(Context& at, char* low, char* top) {
    getcontext(&at);
    at.uc_stack.ss_sp = low, at.uc_stack.ss_size = top - low, at.uc_link = nullptr;
    makecontext(&at, enter, 0);
}
#endif

[[noreturn]] static void differ() {
    const Fiber *first = nullptr, *other = nullptr;
    for (int i = 0; i < block.threads; ++i) {
        const Fiber& f = block.fibers[i];
        if (!f.waits) continue;
        if (!first) first = &f;
        if (f.waits != first->waits || f.mask != first->mask) other = &f;
    }
    if (!other) other = first;
    fail("threads differ in what they wait for: thread %d waits at %s of mask %08x, thread %d at %s of mask %08x",
         (int)(first - block.fibers), MEETINGS[first->waits], first->mask, (int)(other - block.fibers),
         MEETINGS[other->waits], other->mask);
}
static void next(Context& from, int self) {
    if (!block.can_run) {
        if (block.alive) differ();
        go(from, block.outside);
    }
    const int i = below(block.can_run), chosen = block.ready[i];
    block.ready[i] = block.ready[--block.can_run];
    block.running = chosen;
    if (chosen != self) go(from, block.fibers[chosen].at);
    resumed();
}
static void release(int thread, uint64_t result) {
    block.fibers[thread].waits = NONE, block.fibers[thread].result = result;
    block.ready[block.can_run++] = thread;
}
static void release_block() {  // all that are alive have come
    uint64_t count = 0;
    Meeting kind = NONE;
    for (int i = 0; i < block.threads; ++i) {
        const Fiber& f = block.fibers[i];
        if (!f.waits) continue;
        if (kind && kind != f.waits) differ();
        kind = f.waits, count += f.value;
    }
    for (int i = 0; i < block.threads; ++i)
        if (block.fibers[i].waits) release(i, count);
    block.arrived = 0;
}
static void release_warp(int warp, unsigned mask) {  // if all that are meant and alive have come
    const unsigned meant = mask & block.lanes[warp];
    if ((block.waiting[warp] & meant) != meant) return;
    Fiber* f = block.fibers + warp * WARP;
    const Meeting kind = f[__builtin_ctz(meant)].waits;
    uint64_t votes = 0;
    for (unsigned left = meant; left; left &= left - 1) {
        const int i = __builtin_ctz(left);
        if (f[i].waits != kind || f[i].mask != mask) return;
        if (f[i].value) votes |= 1u << i;
    }
    block.waiting[warp] &= ~meant;
    for (unsigned left = meant; left; left &= left - 1) {
        const int i = __builtin_ctz(left), source = f[i].source;
        const bool there = meant >> source & 1;
        release(warp * WARP + i, kind == VOTE ? votes : there ? f[source].value : 0x7fffffff7fffffffu);
    }
}
static uint64_t wait(Meeting kind, unsigned mask, uint64_t value, int source) {
    const int self = block.running;
    Fiber& f = block.fibers[self];
    f.waits = kind, f.mask = mask, f.value = value, f.source = source;
    if (kind <= COUNT) {
        if (++block.arrived == block.alive) release_block();
    } else {
        if (!(mask >> self % WARP & 1)) fail("meets others of its warp under mask %08x, which lacks it", mask);
        block.waiting[self / WARP] |= 1u << self % WARP;
        release_warp(self / WARP, mask);
    }
    next(f.at, self);
    return f.result;
}
static void enter() {
    resumed();
    block.body(block.record);
    const int self = block.running, warp = self / WARP;
    block.lanes[warp] &= ~(1u << self % WARP);
    if (--block.alive && block.arrived == block.alive) release_block();
    for (unsigned left = block.waiting[warp]; left; left &= left - 1) {
        const int i = __builtin_ctz(left);
        if (block.waiting[warp] >> i & 1) release_warp(warp, block.fibers[warp * WARP + i].mask);
    }
    next(block.fibers[self].at, -1);
}

static char* guarded(size_t bytes) {
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) fail("no memory for the emulation");
    return (char*)at;
}
static void make_room(int threads) {
    if (!shared_room) {
        shared_room = guarded(ROOM + 2 * FENCE) + FENCE, shared_end = shared_room + ROOM;
        mprotect(shared_room - FENCE, FENCE, PROT_NONE), mprotect(shared_end, FENCE, PROT_NONE);
    }
    stacks = guarded(STACK * MOST_THREADS);
    for (int i = 0; i < threads; ++i) mprotect(stacks + STACK * i, PAGE, PROT_NONE);
}
static void leave_room() {  // a process may have so many mappings, and each stack is two
    if (stacks) munmap(stacks, STACK * MOST_THREADS);
    stacks = nullptr;
}
static const char* first_written(const char* from, const char* to) {  // of bytes that nobody may write, or `to`
    if (from == to || (*from == (char)0xff && !memcmp(from, from + 1, to - from - 1))) return to;
    while (*from == (char)0xff) ++from;
    return from;
}
static void check_margins() {
    const char *before = first_written(shared_room, shared), *end = shared + shared_size;
    if (before < shared) fail("wrote %d bytes before its shared memory", (int)(shared - before));
    const char* behind = first_written(end, shared_end);
    if (behind < shared_end) fail("wrote at byte %d of its %d bytes of shared memory", (int)(behind - shared), shared_size);
}
static void run_block(int threads) {
    memset(shared_room, 0xff, ROOM);  // not a number
    block.threads = block.can_run = block.alive = threads, block.arrived = 0;
    memset(block.lanes, 0, sizeof block.lanes), memset(block.waiting, 0, sizeof block.waiting);
    for (int i = 0; i < threads; ++i) {
        char* low = stacks + STACK * i;  // tops are spread, else they would share few lines of the cache
        prepare(block.fibers[i].at, low + PAGE, low + STACK - i * 2112 % 65536);
        block.fibers[i].waits = NONE, block.ready[i] = i;
        block.lanes[i / WARP] |= 1u << i % WARP;
    }
    next(block.outside, -1);
    check_margins();
}
static void crashed(int number, siginfo_t* what, void*) {
    const char* at = (const char*)what->si_addr;
    if (number == SIGFPE) fail("divides a whole number by zero");
    if (stacks && at >= stacks && at < stacks + STACK * MOST_THREADS) fail("needs more than its stack");
    if (at >= shared_room - FENCE && at < shared_end + FENCE)
        fail("touches byte %d of its %d bytes of shared memory", (int)(at - shared), shared_size);
    fail("touches address %p, where no memory is", (const void*)at);
}
constexpr int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE};
struct Handlers {  // while a kernel runs
    struct sigaction before[3];
    stack_t stack_before;
    Handlers() {
        static char stack[1 << 16];
        stack_t own{};
        own.ss_sp = stack, own.ss_size = sizeof stack;
        sigaltstack(&own, &stack_before);
        struct sigaction action{};
        action.sa_sigaction = crashed, action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        for (int i = 0; i < 3; ++i) sigaction(SIGNALS[i], &action, &before[i]);
    }
    ~Handlers() {
        for (int i = 0; i < 3; ++i) sigaction(SIGNALS[i], &before[i], nullptr);
        sigaltstack(&stack_before, nullptr);
    }
};
static void run_blocks(int blocks, int threads, const std::vector<int>& order) {
    if (sigsetjmp(failure, 1)) return;
    make_room(threads);
    shared = shared_end - (shared_size + 15) / 16 * 16;
    for (int i = 0; i < blocks; ++i) block_index = order[i], run_block(threads);
}
// What went wrong, or null.
static const char* launch(void (*body)(const void*), const void* record, int blocks, int threads, int most_threads,
                          int shared_bytes, unsigned seed) {
    static std::mutex one_at_a_time;
    const std::lock_guard<std::mutex> lock(one_at_a_time);
    if (threads < 1 || threads > most_threads || threads > MOST_THREADS)
        return snprintf(message, sizeof message, "a block of %d threads; this kernel's have 1 to %d", threads,
                        most_threads < MOST_THREADS ? most_threads : MOST_THREADS), message;
    if (blocks < 1) return snprintf(message, sizeof message, "%d blocks; a launch has at least one", blocks), message;
    if (shared_bytes < 0 || shared_bytes > MOST_SHARED)
        return snprintf(message, sizeof message, "%d bytes of shared memory; a block has at most %d", shared_bytes,
                        MOST_SHARED), message;
    message[0] = 0, chance = seed, shared_size = shared_bytes, block.body = body, block.record = record;
    std::vector<int> order(blocks);
    std::iota(order.begin(), order.end(), 0);
    for (int i = blocks; i > 1; --i) std::swap(order[i - 1], order[below(i)]);
    const Handlers handlers;
    run_blocks(blocks, threads, order);
    leave_room();
    return message[0] ? message : nullptr;
}
}  // namespace emulation
