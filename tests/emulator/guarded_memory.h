// Memory that begins as rubbish, and ends at a page that cannot be accessed.
#pragma once

#include <cstddef>

namespace emulated {

class GuardedMemory {
  public:
    GuardedMemory() = default;
    // The beginning has this `alignment`, and the end is rounded up to it. data() is nullptr if there is not
    // enough memory.
    explicit GuardedMemory(std::size_t bytes, std::size_t alignment = 16);
    ~GuardedMemory();
    GuardedMemory(GuardedMemory&& other) noexcept;
    GuardedMemory& operator=(GuardedMemory&& other) noexcept;

    std::byte* data() const { return data_; }
    std::size_t bytes() const { return bytes_; }
    void spoil();             // fills it with bytes that are NaN as floats
    void allow(bool access);  // sets whether it can be accessed

  private:
    std::byte* pages_ = nullptr;
    std::size_t page_bytes_ = 0;  // without the guard page
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace emulated
