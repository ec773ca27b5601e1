#include "guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace emulated {

GuardedMemory::GuardedMemory(std::size_t bytes, std::size_t alignment) : bytes_(bytes) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t used = (bytes + alignment - 1) / alignment * alignment;
    page_bytes_ = (used + page - 1) / page * page;
    void* found = mmap(nullptr, page_bytes_ + page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (found == MAP_FAILED) return;
    pages_ = static_cast<std::byte*>(found);
    mprotect(pages_ + page_bytes_, page, PROT_NONE);
    data_ = pages_ + page_bytes_ - used;
    spoil();
}

GuardedMemory::~GuardedMemory() {
    if (pages_ != nullptr) munmap(pages_, page_bytes_ + static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
}

GuardedMemory::GuardedMemory(GuardedMemory&& other) noexcept { *this = std::move(other); }

GuardedMemory& GuardedMemory::operator=(GuardedMemory&& other) noexcept {
    std::swap(pages_, other.pages_);
    std::swap(page_bytes_, other.page_bytes_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

void GuardedMemory::spoil() {
    if (data_ != nullptr) std::memset(data_, 0xff, bytes_);
}

void GuardedMemory::allow(bool access) {
    mprotect(pages_, page_bytes_, access ? PROT_READ | PROT_WRITE : PROT_NONE);
}

}  // namespace emulated
