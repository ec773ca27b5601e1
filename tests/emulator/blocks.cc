#include "blocks.h"

#include <setjmp.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
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

void run_until_all_wait(std::vector<Fiber>& fibers) {
    std::vector<unsigned> turn(fibers.size());
    for (unsigned i = 0; i < turn.size(); ++i) turn[i] = i;
    std::shuffle(turn.begin(), turn.end(), order);
    for (unsigned i : turn) {
        if (fibers[i].state != State::kReady) continue;
        resume(fibers[i]);
    }
}

// Lets warps go on whose lanes have all come to an exchange. Whether there was one.
bool release_warps(std::vector<Fiber>& fibers) {
    bool any = false;
    for (std::size_t first = 0; first < fibers.size(); first += kWarp) {
        const std::size_t end = std::min(first + kWarp, fibers.size());
        bool all = true;
        for (std::size_t i = first; i < end; ++i) all = all && fibers[i].state == State::kAtExchange;
        if (!all) continue;
        for (std::size_t i = first; i < end; ++i) fibers[i].state = State::kReady;
        any = true;
    }
    return any;
}

void run_block(std::vector<Fiber>& fibers) {
    for (;;) {
        run_until_all_wait(fibers);
        if (release_warps(fibers)) continue;
        std::size_t at_barrier = 0, done = 0;
        for (const Fiber& fiber : fibers) {
            at_barrier += fiber.state == State::kAtBarrier;
            done += fiber.state == State::kDone;
        }
        if (done == fibers.size()) return;
        if (at_barrier != fibers.size())
            fail("some threads of a block do not come to its barrier or exchange");
        for (Fiber& fiber : fibers) fiber.state = State::kReady;
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
    for (unsigned z = 0; z < blocks.z; ++z) {
        for (unsigned y = 0; y < blocks.y; ++y) {
            for (unsigned x = 0; x < blocks.x; ++x) {
                own.dynamic.spoil();
                for (auto& [line, memory] : own.variables) memory.spoil();
                for (unsigned i = 0; i < threads.x; ++i) {
                    Fiber& fiber = fibers[i];
                    fiber.index = {{i, 0, 0}, {x, y, z}, threads, blocks};
                    fiber.state = State::kReady;
                }
                run_block(fibers);
            }
        }
    }
    block = nullptr;
}

}  // namespace emulated
