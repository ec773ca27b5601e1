#include "cpu/strided_copy.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace escn::cpu {
namespace {

// A tile's edge, in elements. The tile's cache lines on both sides fit the L1 cache.
constexpr int64_t kTile = 64;

// Axes from the largest stride to the smallest.
std::array<int, 3> outermost_first(const Index& stride) {
    std::array<int, 3> order = {0, 1, 2};
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return std::abs(stride[a]) > std::abs(stride[b]); });
    return order;
}

template <typename T>
void copy_line(const T* from, int64_t from_stride, T* to, int64_t to_stride, int64_t count) {
    if (from_stride == 1 && to_stride == 1) {
        std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
    } else if (from_stride == -1 && to_stride == 1) {
        std::reverse_copy(from - (count - 1), from + 1, to);
    } else if (from_stride == 1 && to_stride == -1) {
        std::reverse_copy(from, from + count, to - (count - 1));
    } else {
        for (int64_t i = 0; i < count; ++i) to[i * to_stride] = from[i * from_stride];
    }
}

// Copies a plane of the axes a and b. Axis a has the smallest stride of `from`, and axis b the smallest
// stride of `to`. If both are one axis (`same`), b is another one.
template <typename T>
void copy_plane(const T* from, const Index& from_stride, T* to, const Index& to_stride, const Size& size,
                int a, int b, bool same) {
    if (same) {
        for (int64_t i = 0; i < size[b]; ++i) {
            copy_line(from + i * from_stride[b], from_stride[a], to + i * to_stride[b], to_stride[a],
                      size[a]);
        }
        return;
    }
    for (int64_t j = 0; j < size[a]; j += kTile) {
        const int64_t j_end = std::min(j + kTile, size[a]);
        for (int64_t i = 0; i < size[b]; i += kTile) {
            const int64_t count = std::min(kTile, size[b] - i);
            for (int64_t k = j; k < j_end; ++k) {
                copy_line(from + k * from_stride[a] + i * from_stride[b], from_stride[b],
                          to + k * to_stride[a] + i * to_stride[b], to_stride[b], count);
            }
        }
    }
}

template <typename T>
void copy(const ConstStrided& from, const Strided& to, const Size& size, ThreadPool& pool) {
    const std::array<int, 3> order = outermost_first(from.stride);
    const int a = order[2];
    const int narrowest_to = outermost_first(to.stride)[2];
    const bool same = narrowest_to == a;
    const int b = same ? order[1] : narrowest_to;
    const int c = 3 - a - b;
    // A task is one plane, or a piece of a plane along b where there are few planes (a slab of a few slices).
    const int64_t pieces =
        std::max<int64_t>(1, std::min<int64_t>(size[b] / kTile, 64 / std::max<int64_t>(size[c], 1)));
    pool.for_each(size[c] * pieces, [&](int64_t task) {
        const int64_t plane = task / pieces, piece = task % pieces;
        const int64_t begin = size[b] * piece / pieces, end = size[b] * (piece + 1) / pieces;
        Size part = size;
        part[b] = end - begin;
        copy_plane(static_cast<const T*>(from.data) + plane * from.stride[c] + begin * from.stride[b],
                   from.stride, static_cast<T*>(to.data) + plane * to.stride[c] + begin * to.stride[b],
                   to.stride, part, a, b, same);
    });
}

}  // namespace

void strided_copy(const ConstStrided& from, const Strided& to, const Size& size, std::size_t element_bytes,
                  ThreadPool& pool) {
    switch (element_bytes) {
        case 1:
            return copy<uint8_t>(from, to, size, pool);
        case 2:
            return copy<uint16_t>(from, to, size, pool);
        case 4:
            return copy<uint32_t>(from, to, size, pool);
        default:
            throw std::logic_error("elements must have 1, 2 or 4 bytes");
    }
}

void strided_zero(const Strided& to, const Size& size, ThreadPool& pool) {
    const std::array<int, 3> order = outermost_first(to.stride);
    const int a = order[2], b = order[1], c = order[0];
    pool.for_each(size[c], [&](int64_t plane) {
        for (int64_t i = 0; i < size[b]; ++i) {
            uint8_t* line = static_cast<uint8_t*>(to.data) + plane * to.stride[c] + i * to.stride[b];
            if (to.stride[a] == 1) {
                std::memset(line, 0, static_cast<std::size_t>(size[a]));
            } else if (to.stride[a] == -1) {
                std::memset(line - (size[a] - 1), 0, static_cast<std::size_t>(size[a]));
            } else {
                for (int64_t k = 0; k < size[a]; ++k) line[k * to.stride[a]] = 0;
            }
        }
    });
}

}  // namespace escn::cpu
