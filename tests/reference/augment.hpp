// What augmentation makes of pictures, from the published generator.
#pragma once

#include <vknorm/augment.hpp>

#include "reference/dropout.hpp"
#include "reference/sets.hpp"

namespace vknorm::reference {

/// Of [rows, channels, height, width]; in evaluation nothing is moved.
inline Values augmented(const AugmentOptions& o, const AugmentChoice& choice, bool training,
                        const Numbers& x) {
    const auto low = [](uint64_t number) { return static_cast<uint32_t>(number); };
    Values y;
    for (uint32_t picture = 0; picture < o.rows; ++picture) {
        const auto words = philox4x32_10({picture, low(choice.step), low(choice.step >> 32), choice.layer},
                                         {low(choice.seed), low(choice.seed >> 32)});
        const auto offset = [&](uint32_t word) {
            const uint64_t places = 2 * uint64_t{o.padding} + 1;
            return training ? static_cast<int64_t>(word * places >> 32) - o.padding : 0;
        };
        const bool mirrored = training && o.flip && words[0] >= 0x80000000;
        for (uint32_t channel = 0; channel < o.channels; ++channel) {
            const double mean = o.mean.empty() ? 0 : double{o.mean[channel]},
                         deviation = o.deviation.empty() ? 1 : double{o.deviation[channel]};
            for (int64_t i = 0; i < o.height; ++i)
                for (int64_t j = 0; j < o.width; ++j) {
                    const int64_t row = i + offset(words[1]),
                                  column = (mirrored ? o.width - 1 - j : j) + offset(words[2]);
                    const bool inside = row >= 0 && row < o.height && column >= 0 && column < o.width;
                    const int64_t map = int64_t{picture} * o.channels + channel;
                    const auto place = static_cast<size_t>((map * o.height + row) * o.width + column);
                    y.push_back(((inside ? x[place] : 0) - mean) / deviation);
                }
        }
    }
    return y;
}

}  // namespace vknorm::reference
