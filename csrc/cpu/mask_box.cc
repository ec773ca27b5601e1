#include "cpu/mask_box.h"

#include <algorithm>
#include <numeric>

#include "resample/mask_box.h"

namespace escn::cpu {

std::optional<VoxelBox> mask_box(const View<const uint8_t>& mask) {
    Triple<int> axes = {0, 1, 2};
    std::sort(axes.begin(), axes.end(),
              [&](int a, int b) { return std::abs(mask.stride[a]) > std::abs(mask.stride[b]); });
    const auto [outer, middle, inner] = axes;
    const int64_t size = mask.size[inner];
    const int64_t stride = mask.stride[inner];
    Triple<IndexRange> ranges;
    for (int64_t i = 0; i < mask.size[outer]; ++i) {
        for (int64_t j = 0; j < mask.size[middle]; ++j) {
            const uint8_t* row = mask.data + i * mask.stride[outer] + j * mask.stride[middle];
            uint8_t any = 0;
            for (int64_t k = 0; k < size; ++k) any |= row[k * stride];
            if (any == 0) continue;
            include(ranges[outer], i);
            include(ranges[middle], j);
            int64_t first = 0;
            while (row[first * stride] == 0) ++first;
            int64_t last = size - 1;
            while (row[last * stride] == 0) --last;
            include(ranges[inner], first);
            include(ranges[inner], last);
        }
    }
    if (ranges[0].last < 0) return std::nullopt;
    VoxelBox box;
    for (int axis = 0; axis < 3; ++axis) {
        box.first[axis] = ranges[axis].first;
        box.last[axis] = ranges[axis].last;
    }
    return box;
}

}  // namespace escn::cpu
