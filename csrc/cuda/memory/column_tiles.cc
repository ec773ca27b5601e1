#include "cuda/memory/column_tiles.h"

#include <algorithm>
#include <string>

#include "cuda/driver/cuda_error.h"

namespace escn::cuda {
namespace {

constexpr int32_t kWidest = 4096;    // 16 KiB: leaves room for several blocks per multiprocessor
constexpr int32_t kLargest = 12288;  // 48 KiB: what every GPU gives a block by default

}  // namespace

std::vector<ColumnTile> plan_column_tiles(const cpu::TapTable& columns) {
    std::vector<ColumnTile> tiles;
    int32_t begin = 0, end = 0;  // image columns of the open tile; empty while begin == end
    for (int32_t o = 0; o < static_cast<int32_t>(columns.size()); ++o) {
        const int32_t first = columns.first[o], stop = first + columns.count[o];
        if (columns.count[o] > kLargest) {
            throw CudaError("One voxel of the network covers more than " + std::to_string(kLargest) +
                            " voxels of the scan along x, too many for a GPU; use device=\"cpu\".");
        }
        const bool covers = columns.count[o] > 0;
        const bool empty = begin == end;
        const int32_t wider_begin = empty ? first : std::min(begin, first);
        const int32_t wider_end = empty ? stop : std::max(end, stop);
        if (tiles.empty() || (covers && wider_end - wider_begin > std::max(kWidest, columns.count[o]))) {
            tiles.push_back({o, 0, 0, 0});
            begin = covers ? first : 0;
            end = covers ? stop : 0;
        } else if (covers) {
            begin = wider_begin;
            end = wider_end;
        }
        ColumnTile& tile = tiles.back();
        ++tile.out_count;
        tile.in_first = begin;
        tile.in_count = end - begin;
    }
    return tiles;
}

}  // namespace escn::cuda
