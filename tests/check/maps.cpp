#include "check/maps.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace vknorm::check {

const Option kernel_option{
    "kernel", {}, "Height and width of a window (its operation's own if not given)", true};
const Option stride_option{"stride", {}, "From one window to the next (1, or as kernel in pooling)", true};
const Option padding_option{"padding", {}, "Around every map (none if not given)", true};
const Option dilation_option{"dilation", {}, "From one value of a window to the next (1 if not given)", true};

std::array<uint32_t, 4> map_lengths(const std::string& operation, const TensorShape& x) {
    const bool fits = std::ranges::all_of(
        x, [](uint64_t length) { return length <= std::numeric_limits<uint32_t>::max(); });
    if (x.size() != 4 || !fits)
        throw std::invalid_argument(operation + ": x: got shape " + shape_text(x) +
                                    ", needs 4 lengths of at most 4294967295");
    std::array<uint32_t, 4> lengths{};
    std::ranges::transform(x, lengths.begin(), [](uint64_t length) { return static_cast<uint32_t>(length); });
    return lengths;
}

}  // namespace vknorm::check
