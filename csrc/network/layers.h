// The U-Net's layers, with weights in the memory order that this machine's kernels read.
#pragma once

#include <cstdint>
#include <vector>

#include "network/kernels.h"
#include "network/planes.h"

namespace escn::network {

// Kernel [outputs][inputs][z][y][x] of 3×3×3 or 1×1×1, and bias [outputs].
struct Weights {
    int64_t outputs = 0;
    int64_t inputs = 0;
    std::vector<float> kernel;
    std::vector<float> bias;
};

class TileLayer {
  public:
    TileLayer(const Weights& weights, float slope);
    const TileConvolution& view() const { return view_; }

  private:
    Buffer weights_, bias_;
    TileConvolution view_;
};

class ImageLayer {
  public:
    ImageLayer(const Weights& weights, float slope);
    const ImageConvolution& view() const { return view_; }

  private:
    Buffer weights_, bias_;
    ImageConvolution view_;
};

class HeadLayer {
  public:
    explicit HeadLayer(const Weights& weights);
    const Head& view() const { return view_; }

  private:
    Buffer weights_, bias_;
    Head view_;
};

}  // namespace escn::network
