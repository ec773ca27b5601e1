// Arguments of the networks' inner loops. The loops are compiled once per instruction set, and the set is
// chosen at run time.
//
// A plane of a tensor is [y][x][channel], with a border of zeros: one voxel before its rows and columns, and
// one after whole tiles. A pointer to a plane points at its border.
#pragma once

#include <cstdint>

namespace escn::network {

// Channels are stored and summed in groups of this many.
constexpr int32_t kGroup = 16;

// A tile is a cube of a result, and a slab the planes of its tiles.
constexpr int32_t kTile = 4;

// Voxels along an axis that a tile depends on, and products along an axis that give a tile.
constexpr int32_t kPoints = kTile + 2;
constexpr int32_t kParts = kPoints * kPoints * kPoints;

// Voxels of a tile in one plane
constexpr int32_t kSquare = kTile * kTile;

// A rectangle of tiles in a slab.
struct Tiles {
    int32_t y, rows;
    int32_t x, columns;
};

// The largest number of tiles in one call.
constexpr int32_t kMostTiles = 12;

// The points of the algorithm below are 0, ±kPoint, ±1/kPoint and infinity. Their rounding error is a third
// of that of 0, ±1, ±2 and infinity.
constexpr double kPoint = 2.0 / 3;

// A 3×3×3 convolution by the minimal filtering algorithm F(4×4×4, 3×3×3) of Winograd (Lavin and Gray, 2016,
// arXiv:1509.09308): 216 products per tile and pair of channels, where the plain sum has 1728.
struct TileConvolution {
    int32_t inputs;
    int32_t outputs;
    const float* weights;  // transformed, [kParts][outputs / panel][inputs][panel]
    const float* bias;     // [outputs]
    float slope;           // of the LeakyReLU
};

// The first input channels of a convolution: a tensor of the result's size.
struct Fine {
    const float* planes[kPoints];  // the result's slab and a plane on either side
    int64_t row;                   // floats from row to row
};

// The other input channels, if any: a tensor of half the size, upsampled linearly (half-pixel, edge
// repeated). The upsampled tensor is never stored: a tile's transformed inputs are computed directly from
// 4×4×4 voxels of the small tensor.
struct Coarse {
    const float* planes[4];  // those of the slab's size and one on either side; the edge repeated
    int64_t row;
    int32_t slab;
    int32_t z, y, x;  // the small tensor's size
};

// The network's last layer, a 1×1×1 convolution.
struct Head {
    int32_t outputs;
    const float* weights;  // [outputs, rounded up to lanes][channels][lanes]
    const float* bias;
};

// Where the activated result goes. Null pointers are skipped.
struct TileResult {
    int32_t y, x;          // the result's number of rows and columns
    float* planes[kTile];  // null where there is no such plane
    int64_t row;
    float* pooled[kTile / 2];  // the means of 2×2×2 voxels
    int64_t pooled_row;
    const Head* head;
    float* logits[kTile];   // output 0, row 0 of the planes, [y][x]
    int64_t logits_stride;  // from output to output
};

// Floats from one of the kParts parts of a transformed tensor to the next. This leaves a gap of one group of
// floats after each part, because parts a power of two apart would share the same few cache sets.
static inline int64_t part_stride(int64_t channels, int64_t tiles) { return channels * tiles + kGroup; }

// Memory of one thread, for `kMostTiles` tiles.
struct Scratch {
    // Each part of the transformed inputs, [inputs / kGroup][tiles][kGroup], then its products,
    // [tiles][outputs]. The products are one part before the inputs, so as not to overwrite these. At last,
    // the values for a head, [kTile planes][kTile rows][kTile columns][outputs].
    float* parts;    // [1 + kParts], `part_stride` apart
    float* squares;  // [tiles][outputs / lanes][kPoints][kSquare][lanes]
    float* logits;   // [kTile * tiles][lanes]
};

// A 3×3×3 convolution of a few channels, with LeakyReLU.
struct ImageConvolution {
    int32_t inputs;
    int32_t outputs;
    const float* weights;  // [outputs / panel][27][inputs][panel]
    const float* bias;
    float slope;
};

// Rows [y, y + rows) of one plane of the convolution's result.
struct ImageRows {
    const float* planes[3];  // of the image, bordered
    int64_t row;
    int32_t y, rows;
    int32_t columns;
    float* plane;
    int64_t result_row;
};

struct Kernels {
    int32_t lanes;
    void (*convolve_tiles)(const TileConvolution&, const Fine&, const Coarse*, const Tiles&,
                           const TileResult&, const Scratch&);
    void (*convolve_image)(const ImageConvolution&, const ImageRows&);
    void (*combine)(int32_t labels, int64_t size, const float* const* local, const float* const* spatial,
                    float* const* probabilities, float* background);
    void (*add_sigmoids)(int32_t labels, int64_t size, const float* const* logits, float* const* sums);
    void (*add_softmax)(int32_t labels, int64_t size, const float* const* logits, float* const* sums);
};

const Kernels& kernels();

// Columns of a panel of weights: two vectors, or one where the outputs are not a multiple of two vectors.
// Static, so that each instruction set has its own copy.
static inline int32_t panel_width(int32_t lanes, int32_t outputs) {
    return outputs % (2 * lanes) == 0 ? 2 * lanes : lanes;
}

}  // namespace escn::network
