// Memory that ends where the next page cannot be touched, and begins as rubbish.
#pragma once

#include <cstddef>

namespace emulated {

class GuardedMemory {
  public:
    GuardedMemory() = default;
    // `alignment`: of its beginning, and what its end is rounded up to. data() is nullptr where there is not
    // so much.
    explicit GuardedMemory(std::size_t bytes, std::size_t alignment = 16);
    ~GuardedMemory();
    GuardedMemory(GuardedMemory&& other) noexcept;
    GuardedMemory& operator=(GuardedMemory&& other) noexcept;

    std::byte* data() const { return data_; }
    std::size_t bytes() const { return bytes_; }
    void spoil();             // fills it with bytes that are no number
    void allow(bool access);  // whether the host may touch it

  private:
    std::byte* pages_ = nullptr;
    std::size_t page_bytes_ = 0;  // without the one that guards
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace emulated
