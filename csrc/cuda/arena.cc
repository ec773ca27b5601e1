#include "cuda/arena.h"

#include <algorithm>
#include <new>
#include <utility>

#include "cuda/arena_plan.h"

namespace escn::cuda {
namespace {

class HostMemory final : public ArenaMemory {
  public:
    void* allocate(std::size_t bytes) override {
        return ::operator new(bytes, std::align_val_t{kArenaAlignment});
    }
    void release(void* block) noexcept override {
        ::operator delete(block, std::align_val_t{kArenaAlignment});
    }
};

}  // namespace

std::unique_ptr<ArenaMemory> host_arena_memory() { return std::make_unique<HostMemory>(); }

Arena::Arena(std::unique_ptr<ArenaMemory> memory) : memory_(std::move(memory)) {}

Arena::~Arena() { replace(0); }

void Arena::replace(std::size_t bytes) {
    if (block_ != nullptr) memory_->release(block_);
    block_ = nullptr;
    capacity_ = 0;
    if (bytes == 0) return;
    block_ = static_cast<std::byte*>(memory_->allocate(bytes));
    capacity_ = bytes;
    peak_ = std::max(peak_, capacity_);
}

void Arena::reserve(std::size_t bytes) {
    if (bytes > capacity_) replace(bytes);
}

void Arena::trim(std::size_t bytes) {
    if (bytes < capacity_) replace(bytes);
}

}  // namespace escn::cuda
