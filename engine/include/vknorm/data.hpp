// Labelled data for classification: generated here, read from files by idx.hpp, csv.hpp, cifar.hpp,
// images.hpp and npy.hpp, divided and visited. This needs no Vulkan.
//
// Wrong arguments throw std::invalid_argument; a file that cannot be opened or read throws
// FileError; a file that does not hold what it should throws FormatError.
//
// Everything drawn by seed is the same on every platform, bit for bit, given IEEE 754 arithmetic without
// excess precision and without options such as -ffast-math.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <vknorm/file.hpp>

namespace vknorm {

/// `size()` examples of `features` float32 values, with labels in [0, classes).
struct Dataset {
    uint32_t features = 0;
    uint32_t classes = 0;
    uint32_t image_width = 0, image_height = 0;  ///< both 0 unless an example is a picture, row by row
    std::vector<float> inputs;                   ///< [size, features]
    std::vector<uint32_t> labels;                ///< [size]
    std::vector<std::string> class_names{};      ///< [classes], or empty: classes are called by their numbers
    uint32_t image_channels = 1;  ///< of a picture: 1, or 3, red, green and blue, one after the other

    /// That of an example, as Graph takes it: {channels, height, width} of a picture, else {features}.
    std::vector<uint32_t> shape() const {
        if (image_width == 0) return {features};
        return {image_channels, image_height, image_width};
    }
    size_t size() const { return labels.size(); }
    std::string class_name(uint32_t label) const {
        return class_names.empty() ? std::to_string(label) : class_names.at(label);
    }
    std::span<const float> example(size_t index) const {
        return std::span(inputs).subspan(index * features, features);
    }
};

/// What readers of files take at most if not told otherwise.
inline constexpr uint64_t default_max_bytes = uint64_t{1} << 30;

/// This says that a file holds, or announces, more than the reader's max_bytes; it is said before the memory
/// is taken.
class TooLarge : public FormatError {
  public:
    using FormatError::FormatError;
};

/// Sets of points in the plane, in [-1, 1] x [-1, 1] but for noise.
enum class Shape2D {
    spiral,         ///< 2 arms of 1.75 turns
    circles,        ///< 2 concentric circles, class 0 outside
    moons,          ///< 2 interleaved half circles
    xor_quadrants,  ///< 4 squares, opposite ones of one class
    gaussians,      ///< 3 normal distributions; all their width is noise
    rings,          ///< a disc and 2 broad rings around it, 3 classes
};

/// `size` points in random order, as many of every class (within one). `noise` is the standard deviation of
/// the normal noise on both coordinates, in units of the distance between neighbouring classes (of the
/// centres, for gaussians): at 0.16 nearly all points stay on their own side of the border. Throws
/// std::invalid_argument for no or more than 2^24 points, or noise outside [0, 10].
Dataset make_2d(Shape2D shape, size_t size, float noise, uint64_t seed);

/// 28 x 28 pictures of the ten digits in random order, as many of each (within one), values in [0, 1], light
/// on dark. Drawn from outlines in several styles of handwriting, bent, sheared, rotated, scaled and moved at
/// random, with assorted strokes and pixel noise. Throws std::invalid_argument for no or more than 2^20
/// pictures.
Dataset make_digits(size_t size, uint64_t seed);

/// 32 x 32 pictures in colour, values in [0, 1], in random order, as many of each class (within one). Ten
/// classes: a disc, square, triangle, ring or cross, warm before a cool ground or cool before a warm one;
/// place, size, angle and light are random, and there is noise. Throws std::invalid_argument for no or more
/// than 2^18 pictures.
Dataset make_shapes(size_t size, uint64_t seed);

/// The examples at `indices`, in that order. Throws std::invalid_argument for an index that is not below the
/// size.
Dataset pick(const Dataset& data, std::span<const uint32_t> indices);

/// `first` examples and the others, after a shuffle by `seed`. Throws std::invalid_argument when `first`
/// exceeds the size.
std::pair<Dataset, Dataset> split(const Dataset& data, size_t first, uint64_t seed);

/// Subtracts from every feature of both sets its mean over `train` and divides by the (biased) standard
/// deviation over `train`; features that are constant there are only centred. Throws std::invalid_argument
/// for different features or an empty `train`.
void standardize(Dataset& train, Dataset& test);

/// The order in which a run visits its examples: successive batches of `batch` indices, reshuffled at every
/// epoch, the incomplete batch at an epoch's end dropped. Deterministic by seed. Throws std::invalid_argument
/// when batch is 0 or exceeds size, or size exceeds 2^32 - 1.
class BatchOrder {
  public:
    BatchOrder(size_t size, size_t batch, uint64_t seed);
    /// Valid until the next call.
    std::span<const uint32_t> next();
    /// Epochs taken so far, fractional: 1 when every full batch of the first epoch has been taken.
    double epoch() const;
    /// Batches taken so far.
    uint64_t taken() const;
    /// Goes on as if so many batches had been taken.
    void seek(uint64_t batches);

  private:
    void shuffle();

    std::vector<uint32_t> order_;
    size_t batch_, position_ = 0;
    uint64_t seed_, epoch_ = 0;
};

}  // namespace vknorm
