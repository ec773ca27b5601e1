#include "cuda/memory/arena.h"

#include <algorithm>
#include <utility>

namespace escn::cuda {

Arena::Arena(std::unique_ptr<Allocator> memory) : memory_(std::move(memory)) {}

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
