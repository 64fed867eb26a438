// Which values of a tensor are normalized together, and which parameters each of them has: all that tells the
// members of the norm family apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <vknorm/normalization.hpp>

namespace vknorm::reference {

using Values = std::vector<double>;

/// A view of numbers of either precision.
class Numbers {
  public:
    Numbers() = default;
    Numbers(std::span<const float> values) : size_(values.size()), singles_(values.data()) {}
    Numbers(const std::vector<float>& values) : Numbers(std::span(values)) {}
    Numbers(const Values& values) : size_(values.size()), doubles_(values.data()) {}

    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    double operator[](size_t i) const { return singles_ ? double{singles_[i]} : doubles_[i]; }
    /// The number there, or `absent` when there are none at all.
    double at(size_t i, double absent) const { return empty() ? absent : (*this)[i]; }
    Values values() const;

  private:
    size_t size_ = 0;
    const float* singles_ = nullptr;
    const double* doubles_ = nullptr;
};

/// Where the value (image, channel, position) stands in a dense tensor.
struct Geometry {
    size_t images = 0, channels = 0, positions = 0;
    bool channels_last = false;

    Geometry(const std::vector<uint32_t>& shape, Layout layout);
    size_t elements() const { return images * channels * positions; }
    size_t values_per_channel() const { return images * positions; }
    size_t at(size_t image, size_t channel, size_t position) const;
};

struct Sets {
    static constexpr uint32_t none = 0xffffffff;  ///< the set of a value that is left out

    size_t parameters = 0;
    std::vector<uint32_t> set, parameter;  ///< of each value, as they stand in the tensor
    Values counts;                         ///< [sets]: values of each

    Sets() = default;
    /// Every channel is a set: batch normalization.
    Sets(const Geometry& geometry);
    /// The set [image / images, channel / channels] has the images and channels of that block.
    Sets(const Geometry& geometry, size_t images, size_t channels);

    size_t size() const { return counts.size(); }
    size_t elements() const { return set.size(); }
    /// Leaves out the positions [N, spatial] of the geometry where `valid` is 0.
    void leave_out(const Geometry& geometry, const std::vector<uint32_t>& valid);
};

/// Every image's channels in that many groups.
Sets group_sets(const Geometry& geometry, size_t groups);
/// Every row of the last dimensions is a set, every place in it has parameters of its own.
Sets row_sets(const std::vector<uint32_t>& shape, size_t normalized_dimensions);

}  // namespace vknorm::reference
