#include "blocks.h"

#include <setjmp.h>
#include <ucontext.h>

#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <vector>

#include "guarded_memory.h"
#include "scheduler.h"
#include "stack_switch.h"

namespace emulated {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
constexpr unsigned kWarp = 32;

enum class State { kReady, kAtBarrier, kAtExchange, kDone };

struct Fiber {
    jmp_buf place;  // where it continues
    std::unique_ptr<char[]> memory{new char[kStackBytes]};
    Stack stack{memory.get(), kStackBytes};
    bool begun = false;
    Thread index;
    State state = State::kReady;
    unsigned exchanges = 0;
    long long given[2];  // values of the last two exchanges: a lane may be one call ahead of another
};

struct Block {
    std::vector<Fiber>* fibers;
    jmp_buf scheduler;
    Stack stack;  // of the thread that runs the scheduler
    Fiber* running = nullptr;
    const std::function<void()>* kernel;
    std::map<int, GuardedMemory> variables;  // in shared memory, by the line that declares them
    GuardedMemory dynamic;

    Fiber& lane(unsigned of, unsigned other) { return (*fibers)[of / kWarp * kWarp + other]; }
};

Block* block = nullptr;  // the running block; the scheduler runs one at a time

// Uses setjmp, because swapcontext makes a system call.
void yield(State state) {
    Fiber& self = *block->running;
    self.state = state;
    if (_setjmp(self.place) == 0) {
        leave(self.stack, block->stack);
        jump(block->scheduler);
    }
    arrive(self.stack, block->stack);
}

// The same fiber serves its place in every block of every grid.
void fiber_body() {
    arrive(block->running->stack, block->stack);
    for (;;) {
        (*block->kernel)();
        yield(State::kDone);
    }
}

void resume(Fiber& fiber) {
    block->running = &fiber;
    running_thread = &fiber.index;
    if (_setjmp(block->scheduler) != 0) {
        arrive(block->stack, fiber.stack);
        return;
    }
    if (fiber.begun) {
        leave(block->stack, fiber.stack);
        jump(fiber.place);
    }
    fiber.begun = true;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = fiber.memory.get();
    context.uc_stack.ss_size = kStackBytes;
    context.uc_link = nullptr;
    makecontext(&context, fiber_body, 0);
    leave(block->stack, fiber.stack);
    setcontext(&context);
}

unsigned number(const Fiber& fiber) { return fiber.index.thread.x; }

// Runs a warp of `count` lanes from `first` until all are done or wait at the block's barrier.
void run_warp(Fiber* first, unsigned count) {
    const auto all = [&](State state) {
        return std::all_of(first, first + count, [&](const Fiber& lane) { return lane.state == state; });
    };
    for (;;) {
        // An odd step reaches all 32 lanes; a warp that is not full needs a step of 1.
        const auto drawn = static_cast<unsigned>(scheduler().random()());
        const unsigned begin = drawn % count, step = count == kWarp ? drawn >> 16 | 1 : 1;
        for (unsigned i = 0; i < count; ++i) {
            Fiber& lane = first[(begin + i * step) % count];
            if (lane.state == State::kReady) resume(lane);
        }
        if (!all(State::kAtExchange)) break;
        for (unsigned i = 0; i < count; ++i) first[i].state = State::kReady;
    }
    if (!all(State::kAtBarrier) && !all(State::kDone))
        fail("threads of a warp part at a barrier or an exchange");
}

// A warp runs as far as it can before the next begins, so that work without a barrier runs in any order.
void run_block(std::vector<Fiber>& fibers, std::vector<unsigned>& warps) {
    const auto count = static_cast<unsigned>(fibers.size());
    for (;;) {
        std::shuffle(warps.begin(), warps.end(), scheduler().random());
        for (unsigned warp : warps) run_warp(&fibers[warp * kWarp], std::min(kWarp, count - warp * kWarp));
        const State reached = fibers.front().state;
        for (Fiber& fiber : fibers) {
            if (fiber.state != reached) fail("threads of a block part at a barrier");
            fiber.state = State::kReady;
        }
        if (reached == State::kDone) return;
    }
}

}  // namespace

const Thread* running_thread = nullptr;

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
    static auto* all = new std::map<unsigned, std::vector<Fiber>>;  // by their count
    std::vector<Fiber>& fibers = all->try_emplace(threads.x, threads.x).first->second;
    Block own;
    own.fibers = &fibers;
    own.kernel = &kernel;
    own.dynamic = GuardedMemory(dynamic_shared);
    block = &own;
    std::vector<unsigned> warps((threads.x + kWarp - 1) / kWarp);
    std::iota(warps.begin(), warps.end(), 0);
    std::vector<uint64_t> turn(uint64_t{blocks.x} * blocks.y * blocks.z);
    std::iota(turn.begin(), turn.end(), 0);
    std::shuffle(turn.begin(), turn.end(), scheduler().random());
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
        run_block(fibers, warps);
    }
    block = nullptr;
}

}  // namespace emulated
