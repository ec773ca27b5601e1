// The U-Net of the paper (section 4.2) on the CPU, in float32.
//
// In each level, the second convolution follows the first at a distance of a few planes. The values between
// them thus stay in the cache, and the top level's skip is the only whole feature tensor at full resolution.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "geometry/triple.h"
#include "network/layers.h"

namespace escn::network {

// Blocks of two 3×3×3 convolutions, from the top level down. The lowest expanding block takes the result of
// the lowest contracting block. Each higher expanding block takes [skip, upsampled].
struct UNetWeights {
    std::vector<std::array<Weights, 2>> contracting;
    std::vector<std::array<Weights, 2>> expanding;
    Weights head;
    float slope = 0;  // of every LeakyReLU
};

class UNet {
  public:
    // Throws std::invalid_argument where the weights do not form such a network.
    explicit UNet(const UNetWeights& weights);
    ~UNet();

    int64_t inputs() const { return image_layer_.view().inputs; }
    int64_t outputs() const { return head_.view().outputs; }

    // Computes `logits` [output][z][y][x] from `image` [input][z][y][x], on `threads` threads (0: all cores).
    // Concurrent calls run one after the other. Throws std::invalid_argument for a size that cannot be halved
    // level by level.
    void run(const float* image, const Size& size, float* logits, int threads);

    // How much memory `run` takes, beside the image and the logits. Throws std::invalid_argument as `run`
    // does.
    int64_t bytes_for(const Size& size, int threads) const;

    // Frees the memory that is kept for the next image of the same size.
    void release();

  private:
    struct Workspace;
    struct Run;

    int64_t levels() const { return static_cast<int64_t>(expanding_.size()); }
    void check_size(const Size& size) const;
    void contract(Run& run, int64_t level);
    void expand(Run& run, int64_t level);

    ImageLayer image_layer_;
    std::vector<std::array<TileLayer, 2>> expanding_;
    std::vector<TileLayer> contracting_;  // all but the first convolution: two per level
    HeadLayer head_;
    int64_t filters_;
    std::mutex mutex_;
    std::unique_ptr<Workspace> workspace_;
};

}  // namespace escn::network
