// The single memory block of a run. It grows to a plan's size, can be trimmed and remembers its peak.
#pragma once

#include <cstddef>
#include <memory>

#include "cuda/driver/device_memory.h"

namespace escn::cuda {

class Arena {
  public:
    explicit Arena(std::unique_ptr<Allocator> memory);
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    // Makes at least `bytes` available at base(). A block that is too small is freed first, with its content,
    // so that old and new never coexist. If the new block cannot be allocated, the arena is empty.
    void reserve(std::size_t bytes);
    // Shrinks the block to `bytes` if it is larger. Its content is then lost.
    void trim(std::size_t bytes = 0);

    std::byte* base() const { return block_; }
    std::size_t capacity() const { return capacity_; }
    std::size_t peak() const { return peak_; }  // largest capacity since reset_peak()
    void reset_peak() { peak_ = capacity_; }

  private:
    void replace(std::size_t bytes);

    std::unique_ptr<Allocator> memory_;
    std::byte* block_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t peak_ = 0;
};

}  // namespace escn::cuda
