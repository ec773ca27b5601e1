#include "blocks.h"

#include <setjmp.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "guarded_memory.h"

namespace emulated {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
constexpr unsigned kWarp = 32;

enum class State { kReady, kAtBarrier, kAtExchange, kDone };

struct Fiber {
    jmp_buf place;  // where it goes on
    std::unique_ptr<char[]> stack{new char[kStackBytes]};
    bool begun = false;
    Thread index;
    State state = State::kReady;
    unsigned exchanges = 0;
    long long given[2];  // to the last two exchanges: a lane may be one call ahead of another
};

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "emulated GPU: %s\n", what);
    std::abort();
}

struct Block {
    std::vector<Fiber>* fibers;
    jmp_buf scheduler;
    Fiber* running = nullptr;
    const std::function<void()>* kernel;
    std::map<int, GuardedMemory> variables;  // of shared memory, by the line that declares them
    GuardedMemory dynamic;

    Fiber& lane(unsigned of, unsigned other) { return (*fibers)[of / kWarp * kWarp + other]; }
};

thread_local Block* block = nullptr;
thread_local std::minstd_rand order(1);

// By setjmp, for swapcontext makes a system call.
void yield(State state) {
    Fiber& self = *block->running;
    self.state = state;
    if (_setjmp(self.place) == 0) _longjmp(block->scheduler, 1);
}

// The same fiber serves its place in every block.
void fiber_body() {
    for (;;) {
        (*block->kernel)();
        yield(State::kDone);
    }
}

void resume(Fiber& fiber) {
    block->running = &fiber;
    if (_setjmp(block->scheduler) != 0) return;
    if (fiber.begun) _longjmp(fiber.place, 1);
    fiber.begun = true;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = fiber.stack.get();
    context.uc_stack.ss_size = kStackBytes;
    context.uc_link = nullptr;
    makecontext(&context, fiber_body, 0);
    setcontext(&context);
}

unsigned number(const Fiber& fiber) { return fiber.index.thread.x; }

bool any(const std::vector<Fiber>& fibers, State state) {
    return std::any_of(fibers.begin(), fibers.end(),
                       [&](const Fiber& fiber) { return fiber.state == state; });
}

// Some of the warps, chosen at random, so that they drift apart as far as barriers let them.
void run_some_warps(std::vector<Fiber>& fibers) {
    std::vector<unsigned> turn;
    for (unsigned first = 0; first < fibers.size(); first += kWarp) {
        if (order() / 64 % 2 == 0) continue;
        for (unsigned i = first; i < first + kWarp && i < fibers.size(); ++i) turn.push_back(i);
    }
    std::shuffle(turn.begin(), turn.end(), order);
    for (unsigned i : turn) {
        if (fibers[i].state == State::kReady) resume(fibers[i]);
    }
}

// Lets warps go on whose lanes have all come to an exchange.
void release_warps(std::vector<Fiber>& fibers) {
    for (std::size_t first = 0; first < fibers.size(); first += kWarp) {
        const std::size_t end = std::min(first + kWarp, fibers.size());
        bool all = true;
        for (std::size_t i = first; i < end; ++i) all = all && fibers[i].state == State::kAtExchange;
        if (!all) continue;
        for (std::size_t i = first; i < end; ++i) fibers[i].state = State::kReady;
    }
}

void run_block(std::vector<Fiber>& fibers) {
    for (;;) {
        while (any(fibers, State::kReady)) {
            run_some_warps(fibers);
            release_warps(fibers);
        }
        if (!any(fibers, State::kAtBarrier) && !any(fibers, State::kAtExchange)) return;
        for (Fiber& fiber : fibers) {
            if (fiber.state != State::kAtBarrier) fail("threads of a block part at a barrier or an exchange");
            fiber.state = State::kReady;
        }
    }
}

}  // namespace

const Thread& here() { return block->running->index; }

void block_barrier() { yield(State::kAtBarrier); }

long long exchange(long long value, unsigned mask) {
    Fiber& self = *block->running;
    const unsigned call = self.exchanges++ % 2;
    self.given[call] = value;
    yield(State::kAtExchange);
    return block->lane(number(self), number(self) % kWarp ^ mask).given[call];
}

void* shared_variable(int line, std::size_t bytes) {
    return block->variables.try_emplace(line, bytes).first->second.data();
}

void* dynamic_shared_memory() { return block->dynamic.data(); }

void run_grid(dim3 blocks, dim3 threads, std::size_t dynamic_shared, const std::function<void()>& kernel) {
    if (threads.y != 1 || threads.z != 1) fail("blocks of more than one dimension are not emulated");
    std::vector<Fiber> fibers(threads.x);
    Block own;
    own.fibers = &fibers;
    own.kernel = &kernel;
    own.dynamic = GuardedMemory(dynamic_shared);
    block = &own;
    std::vector<uint64_t> turn(uint64_t{blocks.x} * blocks.y * blocks.z);
    std::iota(turn.begin(), turn.end(), 0);
    std::shuffle(turn.begin(), turn.end(), order);
    for (uint64_t place : turn) {
        const uint3 index = {static_cast<unsigned>(place % blocks.x),
                             static_cast<unsigned>(place / blocks.x % blocks.y),
                             static_cast<unsigned>(place / blocks.x / blocks.y)};
        own.dynamic.spoil();
        for (auto& [line, memory] : own.variables) memory.spoil();
        for (unsigned i = 0; i < threads.x; ++i) {
            fibers[i].index = {{i, 0, 0}, index, threads, blocks};
            fibers[i].state = State::kReady;
        }
        run_block(fibers);
    }
    block = nullptr;
}

}  // namespace emulated
