#include "reference/sets.hpp"

#include <functional>
#include <numeric>

namespace vknorm::reference {

Values Numbers::values() const {
    Values result(size_);
    for (size_t i = 0; i < size_; ++i) result[i] = (*this)[i];
    return result;
}

Geometry::Geometry(const std::vector<uint32_t>& shape, Layout layout)
    : images(shape.front()), positions(1), channels_last(layout == Layout::channels_last) {
    const size_t channel_axis = channels_last ? shape.size() - 1 : 1;
    channels = shape[channel_axis];
    for (size_t axis = 1; axis < shape.size(); ++axis) {
        if (axis != channel_axis) positions *= shape[axis];
    }
}

size_t Geometry::at(size_t image, size_t channel, size_t position) const {
    return channels_last ? (image * positions + position) * channels + channel
                         : (image * channels + channel) * positions + position;
}

Sets::Sets(const Geometry& geometry) : Sets(geometry, geometry.images, 1) {}

Sets::Sets(const Geometry& geometry, size_t images, size_t channels)
    : parameters(geometry.channels), set(geometry.elements()), parameter(geometry.elements()) {
    const size_t across = geometry.channels / channels;
    // A batch without images still has the statistics of its channels.
    const size_t down = images == 0 ? 1 : geometry.images / images + (geometry.images % images != 0);
    counts.resize(down * across);
    for (size_t n = 0; n < geometry.images; ++n) {
        for (size_t c = 0; c < geometry.channels; ++c) {
            const size_t its_set = n / images * across + c / channels;
            counts[its_set] += static_cast<double>(geometry.positions);
            for (size_t s = 0; s < geometry.positions; ++s) {
                const size_t i = geometry.at(n, c, s);
                set[i] = static_cast<uint32_t>(its_set);
                parameter[i] = static_cast<uint32_t>(c);
            }
        }
    }
}

void Sets::leave_out(const Geometry& geometry, const std::vector<uint32_t>& valid) {
    for (size_t n = 0; n < geometry.images; ++n) {
        for (size_t s = 0; s < geometry.positions; ++s) {
            if (valid[n * geometry.positions + s] != 0) continue;
            for (size_t c = 0; c < geometry.channels; ++c) {
                uint32_t& its_set = set[geometry.at(n, c, s)];
                counts[its_set] -= 1;
                its_set = none;
            }
        }
    }
}

Sets group_sets(const Geometry& geometry, size_t groups) {
    return {geometry, 1, geometry.channels / groups};
}

Sets row_sets(const std::vector<uint32_t>& shape, size_t normalized_dimensions) {
    const auto length = [](auto begin, auto end) {
        return std::accumulate(begin, end, size_t{1}, std::multiplies<>());
    };
    const auto split = shape.end() - static_cast<std::ptrdiff_t>(normalized_dimensions);
    const size_t rows = length(shape.begin(), split), row_length = length(split, shape.end());
    Sets result;
    result.parameters = row_length;
    result.counts.assign(rows, static_cast<double>(row_length));
    result.set.resize(rows * row_length);
    result.parameter.resize(rows * row_length);
    for (size_t i = 0; i < rows * row_length; ++i) {
        result.set[i] = static_cast<uint32_t>(i / row_length);
        result.parameter[i] = static_cast<uint32_t>(i % row_length);
    }
    return result;
}

}  // namespace vknorm::reference
