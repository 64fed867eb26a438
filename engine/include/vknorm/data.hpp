// Labelled data for classification: generated sets, MNIST-family files, CSV. Needs no Vulkan.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vknorm {

/// A file does not hold what its format promises. The message names the file, the place (line and column for text),
/// what stands there and what was needed.
class FormatError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// `size()` examples of `features` float32 values, with labels in [0, classes).
struct Dataset {
    uint32_t features = 0;
    uint32_t classes = 0;
    uint32_t image_width = 0, image_height = 0;  ///< both 0 unless an example is a picture, row by row
    std::vector<float> inputs;                   ///< [size, features]
    std::vector<uint32_t> labels;                ///< [size]

    size_t size() const { return labels.size(); }
    std::span<const float> example(size_t index) const {
        return std::span(inputs).subspan(index * features, features);
    }
};

/// Two-dimensional sets, about in [-1, 1] x [-1, 1].
enum class Shape2D { spiral, circles, moons, xor_quadrants, gaussians, rings };

/// `size` points, classes balanced, in random order; `noise` is the standard deviation of normal noise relative to
/// the set's own width. The same arguments give the same bits on every platform.
Dataset make_2d(Shape2D shape, size_t size, float noise, uint64_t seed);

/// 28 x 28 pictures of the ten digits, values in [0, 1], drawn from outlines of assorted strokes with random affine
/// distortion, stroke width and pixel noise. The same arguments give the same pictures on one platform.
Dataset make_digits(size_t size, uint64_t seed);

/// MNIST-family IDX pair, plain or gzip-compressed: `directory` holds exactly one *-images-idx3-ubyte[.gz] with the
/// matching *-labels-idx1-ubyte[.gz], or both a train and a t10k pair (then they are concatenated, train first).
/// Values are divided by 255. Throws FormatError for wrong magic, truncation, extra bytes, images != labels.
Dataset read_idx(const std::filesystem::path& directory);

/// Comma-separated numbers, one example a line, the label (a class number from 0, at most 999) last; a first line
/// that is not numbers is a header. UTF-8 BOM, CRLF and quotes are accepted. Throws FormatError with
/// file:line:column for ragged rows, nan, inf, overflow and trailing text.
Dataset read_csv(const std::filesystem::path& file);

/// First part and rest after a shuffle by `seed`: `first` examples and the others. Throws std::invalid_argument when
/// `first` exceeds the size.
std::pair<Dataset, Dataset> split(const Dataset& data, size_t first, uint64_t seed);

/// Subtracts from every feature of both sets its mean over `train` and divides by the standard deviation over
/// `train` (features that are constant there are only centred).
void standardize(Dataset& train, Dataset& test);

/// The order in which a run visits its examples: successive batches of `batch` indices, reshuffled at every epoch,
/// the incomplete batch at an epoch's end dropped. Deterministic by seed. Throws std::invalid_argument when
/// batch is 0 or exceeds size.
class BatchOrder {
  public:
    BatchOrder(size_t size, size_t batch, uint64_t seed);
    std::span<const uint32_t> next();
    double epoch() const;  ///< epochs begun by the batches taken, fractional

  private:
    void shuffle();
    std::vector<uint32_t> order_;
    size_t batch_, position_ = 0;
    uint64_t epochs_ = 0, state_;
};

}  // namespace vknorm
