// The one block of memory that a run lives in: grows to what a plan asks for, can be trimmed, remembers its
// peak.
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

    // At least `bytes` at base(). A block that is too small is freed first, so that old and new never
    // coexist: nothing in it survives growing. If the new block is not to be had the arena is left empty.
    void reserve(std::size_t bytes);
    // Gives back what lies above `bytes`; the content is lost if anything was given back.
    void trim(std::size_t bytes = 0);

    std::byte* base() const { return block_; }
    std::size_t capacity() const { return capacity_; }
    std::size_t peak() const { return peak_; }  // largest capacity ever held
    void reset_peak() { peak_ = capacity_; }

  private:
    void replace(std::size_t bytes);

    std::unique_ptr<Allocator> memory_;
    std::byte* block_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t peak_ = 0;
};

}  // namespace escn::cuda
