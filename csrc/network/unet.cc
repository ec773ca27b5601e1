#include "network/unet.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>

#include "cpu/thread_pool.h"
#include "geometry/text.h"
#include "network/steps.h"

namespace escn::network {
namespace {

constexpr int64_t kMostFilters = 64;  // channels of a tensor; a convolution reads one or two tensors

constexpr int64_t kMostInputs = 256;  // an image, and a prediction of each label

// Each level halves an image, which has less than 2^16 voxels along an axis.
constexpr std::size_t kMostLevels = 16;

// Far beyond any network's input, so that counting its memory neither overflows nor takes any.
constexpr int64_t kMostLength = 16384;

// Rows of the first layer that one task computes.
constexpr int64_t kImageRows = 8;

// Each thread has its own memory, and more threads than cores gain nothing.
constexpr int kMostThreads = 512;

// Tasks per thread in a step: enough that no thread waits long for the other threads.
constexpr int64_t kTasksPerThread = 8;

std::string shape_text(const Weights& weights) {
    return std::to_string(weights.outputs) + " outputs of " + std::to_string(weights.inputs) + " inputs";
}

void check(const Weights& weights, int64_t outputs, int64_t inputs, int64_t taps, const std::string& which) {
    const auto size = static_cast<int64_t>(weights.kernel.size());
    if (weights.outputs != outputs || weights.inputs != inputs || size != outputs * inputs * taps ||
        static_cast<int64_t>(weights.bias.size()) != outputs) {
        throw std::invalid_argument(which + " must have " + std::to_string(outputs) + " outputs of " +
                                    std::to_string(inputs) + " inputs with " + std::to_string(taps) +
                                    " taps each, and as many biases, found " + shape_text(weights) + ", " +
                                    std::to_string(size) + " weights and " +
                                    std::to_string(weights.bias.size()) + " biases.");
    }
}

const UNetWeights& checked(const UNetWeights& weights) {
    const std::size_t levels = weights.contracting.size();
    if (levels < 2 || levels > kMostLevels || weights.expanding.size() != levels) {
        throw std::invalid_argument(
            "A U-Net must have 2 to 16 levels, and as many expanding as contracting blocks, found " +
            std::to_string(levels) + " contracting and " + std::to_string(weights.expanding.size()) +
            " expanding blocks.");
    }
    const int64_t filters = weights.contracting[0][0].outputs;
    if (filters < kGroup || filters > kMostFilters || filters % kGroup != 0) {
        throw std::invalid_argument("A U-Net must have 16, 32, 48 or 64 filters, found " +
                                    std::to_string(filters) + ".");
    }
    const int64_t inputs = weights.contracting[0][0].inputs;
    if (inputs < 1 || inputs > kMostInputs) {
        throw std::invalid_argument("A U-Net must have 1 to " + std::to_string(kMostInputs) +
                                    " inputs, found " + std::to_string(inputs) + ".");
    }
    for (std::size_t level = 0; level < levels; ++level) {
        const std::string number = std::to_string(level);
        check(weights.contracting[level][0], filters, level == 0 ? inputs : filters, 27,
              "The first convolution of contracting block " + number);
        check(weights.contracting[level][1], filters, filters, 27,
              "The second convolution of contracting block " + number);
        check(weights.expanding[level][0], filters, level + 1 == levels ? filters : 2 * filters, 27,
              "The first convolution of expanding block " + number);
        check(weights.expanding[level][1], filters, filters, 27,
              "The second convolution of expanding block " + number);
    }
    check(weights.head, weights.head.outputs, filters, 1, "The last convolution");
    if (weights.head.outputs < 1) throw std::invalid_argument("A U-Net must have an output, found none.");
    return weights;
}

// Rectangles of at most kMostTiles tiles that cover a slab.
std::vector<Tiles> cut(const Size& size) {
    const auto rows = static_cast<int32_t>((size[1] + kTile - 1) / kTile),
               columns = static_cast<int32_t>((size[2] + kTile - 1) / kTile);
    const int32_t across = (columns + kMostTiles - 1) / kMostTiles;
    const int32_t widest = (columns + across - 1) / across;
    const int32_t high = std::max(1, kMostTiles / widest);
    const int32_t down = (rows + high - 1) / high;
    std::vector<Tiles> all;
    for (int32_t i = 0; i < down; ++i) {
        for (int32_t j = 0; j < across; ++j) {
            const int32_t y = rows * i / down, x = columns * j / across;
            all.push_back({y, rows * (i + 1) / down - y, x, columns * (j + 1) / across - x});
        }
    }
    return all;
}

// How a level is computed.
struct LevelPlan {
    Size size;
    std::vector<Tiles> tiles;
    Steps steps;
};

LevelPlan plan_level(const Size& image, int64_t level, int threads) {
    const Size size = {image[0] >> level, image[1] >> level, image[2] >> level};
    std::vector<Tiles> tiles = cut(size);
    const auto tasks = static_cast<int64_t>(tiles.size());
    const int64_t slabs = Planes::slabs_of(size);
    const int64_t at_once = std::clamp<int64_t>((kTasksPerThread * threads + tasks - 1) / tasks, 1, slabs);
    return {size, std::move(tiles), {slabs, at_once}};
}

std::vector<LevelPlan> plan_levels(const Size& image, int64_t count, int threads) {
    std::vector<LevelPlan> plans;
    for (int64_t level = 0; level < count; ++level) plans.push_back(plan_level(image, level, threads));
    return plans;
}

// The floats of a level's `between` tensor, where also others are while it is idle: the skip of the level
// below, and on level 1 the image.
int64_t shared_floats(const std::vector<LevelPlan>& plans, std::size_t level, int64_t inputs,
                      int64_t filters) {
    int64_t most = Planes::floats(plans[level].size, filters, plans[level].steps.kept());
    if (level + 1 < plans.size()) most = std::max(most, Planes::floats(plans[level + 1].size, filters));
    if (level == 1) most = std::max(most, Planes::floats(plans[0].size, inputs));
    return most;
}

// The floats of each part of a thread's `Scratch`.
std::array<int64_t, 3> scratch_floats(int64_t filters) {
    return {(1 + kParts) * part_stride(2 * filters, kMostTiles), kPoints * kSquare * filters * kMostTiles,
            kTile * kGroup * kMostTiles};
}

int threads_of(int threads) { return std::min(cpu::thread_count(threads), kMostThreads); }

}  // namespace

// Tensors and scratch memory for images of one size.
struct UNet::Workspace {
    struct Level : LevelPlan {
        Planes between;  // between the two convolutions of a block
        Planes skip;
        std::optional<Planes> pooled;  // input of the contracting block, later result of the expanding one
    };

    Size size;
    int threads;
    std::vector<Buffer> memory;
    std::vector<Level> levels;
    std::optional<Planes> image;
    std::vector<Scratch> scratch;

    Workspace(const Size& image_size, int thread_count, int64_t level_count, int64_t inputs, int64_t filters)
        : size(image_size), threads(thread_count) {
        const auto make = [&](int64_t floats) { return memory.emplace_back(floats).data(); };
        const std::vector<LevelPlan> plans = plan_levels(size, level_count, threads);
        float* above = make(Planes::floats(size, filters));
        for (std::size_t level = 0; level < plans.size(); ++level) {
            const Size& own = plans[level].size;
            float* shared = make(shared_floats(plans, level, inputs, filters));
            levels.push_back({plans[level], Planes(own, filters, plans[level].steps.kept(), shared),
                              Planes(own, filters, above), std::nullopt});
            if (level > 0) levels.back().pooled.emplace(own, filters, make(Planes::floats(own, filters)));
            if (level == 1) image.emplace(size, inputs, shared);
            above = shared;
        }
        for (int thread = 0; thread < threads; ++thread) {
            std::array<float*, 3> parts{};
            for (std::size_t part = 0; part < parts.size(); ++part) {
                parts[part] = make(scratch_floats(filters)[part]);
            }
            scratch.push_back({parts[0], parts[1], parts[2]});
        }
    }
};

struct UNet::Run {
    const float* image;
    float* logits;
    Workspace& workspace;
    cpu::ThreadPool& pool;
};

UNet::UNet(const UNetWeights& weights)
    : image_layer_(checked(weights).contracting[0][0], weights.slope),
      head_(weights.head),
      filters_(weights.contracting[0][0].outputs) {
    for (std::size_t level = 0; level < weights.contracting.size(); ++level) {
        if (level > 0) contracting_.emplace_back(weights.contracting[level][0], weights.slope);
        contracting_.emplace_back(weights.contracting[level][1], weights.slope);
        expanding_.push_back({TileLayer(weights.expanding[level][0], weights.slope),
                              TileLayer(weights.expanding[level][1], weights.slope)});
    }
}

UNet::~UNet() = default;

void UNet::check_size(const Size& size) const {
    const int64_t multiple = int64_t{1} << (levels() - 1);
    for (const int64_t length : size) {
        if (length < 1 || length % multiple != 0) {
            throw std::invalid_argument("The image must have a multiple of " + std::to_string(multiple) +
                                        " voxels along each axis, found " + to_text(size) + ".");
        }
    }
}

int64_t UNet::bytes_for(const Size& size, int threads) const {
    check_size(size);
    if (*std::max_element(size.begin(), size.end()) > kMostLength) {
        throw std::invalid_argument("The image must have at most " + std::to_string(kMostLength) +
                                    " voxels along each axis, found " + to_text(size) + ".");
    }
    threads = threads_of(threads);
    const std::vector<LevelPlan> plans = plan_levels(size, levels(), threads);
    int64_t floats = Planes::floats(size, filters_);
    for (const int64_t part : scratch_floats(filters_)) floats += threads * part;
    for (std::size_t level = 0; level < plans.size(); ++level) {
        floats += shared_floats(plans, level, inputs(), filters_);
        if (level > 0) floats += Planes::floats(plans[level].size, filters_);
    }
    return floats * static_cast<int64_t>(sizeof(float));
}

void UNet::run(const float* image, const Size& size, float* logits, int threads) {
    check_size(size);
    threads = threads_of(threads);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!workspace_ || workspace_->size != size || workspace_->threads != threads) {
        workspace_.reset();  // two at once would take twice the memory
        workspace_ = std::make_unique<Workspace>(size, threads, levels(), inputs(), filters_);
    }
    cpu::ThreadPool pool(threads);
    Run run{image, logits, *workspace_, pool};
    for (int64_t level = 0; level < levels(); ++level) contract(run, level);
    for (int64_t level = levels() - 1; level >= 0; --level) expand(run, level);
}

void UNet::release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    workspace_.reset();
}

namespace {

Fine around(const Planes& planes, int64_t slab) {
    Fine fine{{}, planes.row()};
    for (int i = 0; i < kPoints; ++i) fine.planes[i] = planes.around(kTile * slab + i - 1);
    return fine;
}

Coarse around_small(const Planes& planes, int64_t slab) {
    const Size& size = planes.size();
    Coarse coarse{{},
                  planes.row(),
                  static_cast<int32_t>(slab),
                  static_cast<int32_t>(size[0]),
                  static_cast<int32_t>(size[1]),
                  static_cast<int32_t>(size[2])};
    for (int i = 0; i < 4; ++i) {
        coarse.planes[i] = planes.at(std::clamp<int64_t>(kTile / 2 * slab + i - 1, 0, size[0] - 1));
    }
    return coarse;
}

// Copies plane z of `channels` [channel][z][y][x].
void interleave(const float* channels, int64_t count, const Planes& to, int64_t z) {
    const Size& size = to.size();
    for (int64_t channel = 0; channel < count; ++channel) {
        for (int64_t y = 0; y < size[1]; ++y) {
            const float* from = channels + ((channel * size[0] + z) * size[1] + y) * size[2];
            float* row = to.at(z) + (y + 1) * to.row() + count + channel;
            for (int64_t x = 0; x < size[2]; ++x) row[x * count] = from[x];
        }
    }
}

TileResult result_in(const Size& size) {
    TileResult result{};
    result.y = static_cast<int32_t>(size[1]);
    result.x = static_cast<int32_t>(size[2]);
    return result;
}

TileResult result_in(const Planes& planes, int64_t slab) {
    TileResult result = result_in(planes.size());
    for (int64_t i = 0; i < kTile && kTile * slab + i < planes.size()[0]; ++i) {
        result.planes[i] = planes.at(kTile * slab + i);
    }
    result.row = planes.row();
    return result;
}

}  // namespace

void UNet::contract(Run& run, int64_t level) {
    Workspace::Level& here = run.workspace.levels[level];
    Workspace::Level* below = level + 1 < levels() ? &run.workspace.levels[level + 1] : nullptr;
    const Kernels& functions = kernels();
    here.between.clear_border();
    if (level > 0) here.skip.clear_border();
    Stage first;
    if (level == 0) {
        const Planes& image = *run.workspace.image;
        image.clear_border();
        const Size& size = image.size();
        run.pool.for_each(size[0], [&](int64_t z) { interleave(run.image, inputs(), image, z); });
        const int64_t groups = (size[1] + kImageRows - 1) / kImageRows;
        first = {kTile * groups, [&, groups](int64_t slab, int64_t task, const Scratch&) {
                     const int64_t z = kTile * slab + task / groups, y = task % groups * kImageRows;
                     if (z >= size[0]) return;
                     ImageRows rows{{image.around(z - 1), image.around(z), image.around(z + 1)},
                                    image.row(),
                                    static_cast<int32_t>(y),
                                    static_cast<int32_t>(std::min(kImageRows, size[1] - y)),
                                    static_cast<int32_t>(size[2]),
                                    here.between.at(z),
                                    here.between.row()};
                     functions.convolve_image(image_layer_.view(), rows);
                 }};
    } else {
        first = {
            static_cast<int64_t>(here.tiles.size()), [&](int64_t slab, int64_t task, const Scratch& scratch) {
                functions.convolve_tiles(contracting_[2 * level - 1].view(), around(*here.pooled, slab),
                                         nullptr, here.tiles[task], result_in(here.between, slab), scratch);
            }};
    }
    const Stage second{
        static_cast<int64_t>(here.tiles.size()), [&](int64_t slab, int64_t task, const Scratch& scratch) {
            TileResult result = result_in(here.skip, slab);
            if (below) {
                for (int64_t i = 0; i < kTile / 2 && kTile / 2 * slab + i < below->size[0]; ++i) {
                    result.pooled[i] = below->pooled->at(kTile / 2 * slab + i);
                }
                result.pooled_row = below->pooled->row();
            }
            functions.convolve_tiles(contracting_[2 * level].view(), around(here.between, slab), nullptr,
                                     here.tiles[task], result, scratch);
        }};
    run_pipelined(run.pool, run.workspace.scratch, here.steps, first, second);
}

void UNet::expand(Run& run, int64_t level) {
    Workspace::Level& here = run.workspace.levels[level];
    const Planes* small = level + 1 < levels() ? &*run.workspace.levels[level + 1].pooled : nullptr;
    const Kernels& functions = kernels();
    here.between.clear_border();
    const auto tasks = static_cast<int64_t>(here.tiles.size());
    const Stage first{tasks, [&](int64_t slab, int64_t task, const Scratch& scratch) {
                          Coarse coarse;
                          if (small) coarse = around_small(*small, slab);
                          functions.convolve_tiles(expanding_[level][0].view(), around(here.skip, slab),
                                                   small ? &coarse : nullptr, here.tiles[task],
                                                   result_in(here.between, slab), scratch);
                      }};
    const Stage second{tasks, [&](int64_t slab, int64_t task, const Scratch& scratch) {
                           TileResult result = result_in(here.size);
                           if (level > 0) {
                               result = result_in(*here.pooled, slab);
                           } else {
                               const int64_t plane = here.size[1] * here.size[2];
                               result.head = &head_.view();
                               for (int64_t i = 0; i < kTile && kTile * slab + i < here.size[0]; ++i) {
                                   result.logits[i] = run.logits + (kTile * slab + i) * plane;
                               }
                               result.logits_stride = here.size[0] * plane;
                           }
                           functions.convolve_tiles(expanding_[level][1].view(), around(here.between, slab),
                                                    nullptr, here.tiles[task], result, scratch);
                       }};
    run_pipelined(run.pool, run.workspace.scratch, here.steps, first, second);
}

}  // namespace escn::network
