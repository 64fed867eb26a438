// Pictures as training sees them: crops at random with zeros around them, mirrored at random, normalized. As
// torchvision's RandomCrop(size, padding), RandomHorizontalFlip and Normalize one after the other, on the
// device.
//
// What becomes of a picture comes from a counter-based generator, as Dropout's mask does.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <vknorm/stream.hpp>

namespace vknorm {

struct AugmentOptions {
    uint32_t rows = 1, channels = 1, height = 1, width = 1;  ///< of x and y, each at least 1
    /// A picture is moved by up to so many pixels each way: a crop of its own size of what has so many zeros
    /// on every side; less than height and width.
    uint32_t padding = 0;
    bool flip = false;  ///< half of the pictures are mirrored, left and right
    /// Subtracted from each channel, which is then divided by the other, zeros of the padding too. Of every
    /// channel, 4 at most, or empty: 0 and 1.
    std::vector<float> mean{}, deviation{};
};

/// What chooses: equal numbers choose the same, on every device. Of picture n, words w of
/// philox4x32_10(counter = {n, step's low and high half, layer}, key = seed's low and high half) mirror it
/// where w[0] is at least 2^31, and let the crop begin at row w[1] * (2 padding + 1) / 2^32 and column
/// w[2] * (2 padding + 1) / 2^32 of the padded picture, rounded down.
struct AugmentChoice {
    uint64_t seed = 0, step = 0;
    uint32_t layer = 0;  ///< tells those of one network apart
};

/// A plan for pictures [rows, channels, height, width] of float32: immutable, and shareable between threads.
/// Operations record into the given Recorder, allocate no device memory, submit nothing and wait for nothing;
/// they throw std::invalid_argument naming the argument before anything is recorded. Tensors are dense and
/// start at multiples of binding_alignment; y does not overlap x.
class Augment {
  public:
    /// Throws std::invalid_argument for options out of range, Unsupported when a tensor is too large for this
    /// device.
    Augment(Device& device, const AugmentOptions& options);

    struct Pictures {
        BufferView x{};  ///< in
        BufferView y{};  ///< out
    };
    void training(Recorder& recorder, const Pictures& pictures, const AugmentChoice& choice) const;
    /// Normalizes only.
    void evaluation(Recorder& recorder, const Pictures& pictures) const;

  private:
    void record(Recorder& recorder, const char* call, const Pictures& pictures, uint32_t padding, bool flip,
                const AugmentChoice& choice) const;

    detail::StatePointer<std::shared_ptr<const detail::DeviceState>> device_;
    AugmentOptions options_;
};

}  // namespace vknorm
