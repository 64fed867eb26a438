// Group Normalization.
//
// Source: Y. Wu, K. He, "Group Normalization", ECCV 2018 (arXiv:1803.08494). Each image's channels are
// normalized in groups of C / G neighbours: the mean mu and the biased variance var are those of one group of
// one image, x^ = (x - mu) / sqrt(var + epsilon). With one group this is layer normalization over (C,
// spatial), with C groups instance normalization.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <vknorm/normalization.hpp>
#include <vknorm/stream.hpp>

namespace vknorm {

namespace detail {
struct GroupedNorm;
}

struct GroupNormOptions {
    std::vector<uint32_t> shape{};  ///< 2 to 5 dimensions, as `layout` lists them; N may be 0, nothing else
    Layout layout = Layout::channels_first;
    uint32_t groups = 1;    ///< G, a divisor of C
    float epsilon = 1e-5f;  ///< at least 0; with 0 a group of zero variance gives y = beta
    Storage storage = Storage::float32;
};

/// A plan for one shape: immutable, and shareable between threads; copies share it. Tensors are dense.
/// Operations record into the given Recorder, allocate no device memory, submit nothing and wait for nothing.
/// Unless stated, an output must not overlap any other argument. A group with one value gives y = beta
/// exactly.
class GroupNorm {
  public:
    /// Throws std::invalid_argument for options out of range.
    GroupNorm(Device& device, const GroupNormOptions& options);

    uint64_t elements() const;  ///< of x
    uint64_t sets() const;      ///< N * G: how many groups are normalized, image by image
    /// Bytes that `scratch` must have in every call; its contents need not be kept between calls.
    VkDeviceSize scratch_bytes() const;
    /// The chosen strategy, partitioning and dispatches, for people.
    std::string explain() const;

    struct Forward {
        BufferView x{};              ///< in, shape
        BufferView y{};              ///< out, shape; may be x itself
        BufferView gamma{}, beta{};  ///< in, [C]; each may be absent (1 and 0)
        BufferView mean{};     ///< out, [2, N, G]: the mean rounded to float32, then what the rounding lost
        BufferView inv_std{};  ///< out, [N, G]
        BufferView scratch{};
    };
    /// y = gamma * x^ + beta.
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct Backward {
        BufferView x{}, dy{};          ///< in, shape
        BufferView mean{}, inv_std{};  ///< in, as saved by forward
        BufferView gamma{};            ///< in, [C]; may be absent
        BufferView dx{};               ///< out, shape; absent: not wanted; may be dy itself
        BufferView dgamma{}, dbeta{};  ///< out, [C]; each absent: not wanted
        bool accumulate = false;       ///< dgamma and dbeta are added to
        BufferView scratch{};
    };
    /// With q = dy * gamma and E the mean over a group: dx = inv_std * (q - E[q] - x^ * E[q * x^]); dgamma =
    /// sum dy * x^ and dbeta = sum dy over a channel.
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    detail::StatePointer<std::shared_ptr<const detail::GroupedNorm>> impl_;
};

}  // namespace vknorm
