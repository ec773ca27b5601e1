#include "network/planes.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace escn::network {
namespace {

constexpr std::size_t kVector = 64;
constexpr std::size_t kLargePage = std::size_t{2} << 20;

int64_t bordered(int64_t size) { return (size + kTile - 1) / kTile * kTile + 2; }
int64_t row_of(const Size& size, int64_t channels) { return bordered(size[2]) * channels; }
int64_t plane_of(const Size& size, int64_t channels) { return bordered(size[1]) * row_of(size, channels); }

}  // namespace

void Buffer::Free::operator()(void* memory) const { std::free(memory); }

Buffer::Buffer(int64_t floats) {
    std::size_t bytes = static_cast<std::size_t>(floats) * sizeof(float);
    const std::size_t alignment = bytes < kLargePage ? kVector : kLargePage;
    // The zeros of calloc take no memory until they are written.
    memory_.reset(std::calloc(1, bytes + alignment));
    if (!memory_) throw std::bad_alloc();
    void* start = memory_.get();
    std::size_t space = bytes + alignment;
    data_ = static_cast<float*>(std::align(alignment, bytes, start, space));
#ifdef __linux__
    // Large pages cause fewer page faults and TLB misses. The call is only advice, so a failure is harmless.
    if (alignment == kLargePage) madvise(data_, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
}

Planes::Planes(const Size& size, int64_t channels, int64_t slabs, float* memory)
    : size_(size),
      slabs_(slabs),
      channels_(channels),
      row_(row_of(size, channels)),
      plane_(plane_of(size, channels)),
      memory_(memory) {}

int64_t Planes::floats(const Size& size, int64_t channels, int64_t slabs) {
    return (1 + kTile * slabs) * plane_of(size, channels);
}

void Planes::clear_border() const {
    std::fill_n(memory_, plane_, 0.0f);
    for (int64_t z = 0; z < kTile * slabs_; ++z) {
        float* const plane = memory_ + (1 + z) * plane_;
        float* const end = plane + (1 + size_[1]) * row_;
        std::fill(plane, plane + row_, 0.0f);
        for (float* row = plane + row_; row < end; row += row_) {
            std::fill_n(row, channels_, 0.0f);
            std::fill(row + (1 + size_[2]) * channels_, row + row_, 0.0f);
        }
        std::fill(end, plane + plane_, 0.0f);
    }
}

}  // namespace escn::network
