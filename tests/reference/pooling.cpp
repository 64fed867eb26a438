#include "reference/pooling.hpp"

#include <cmath>
#include <functional>
#include <utility>

namespace vknorm::reference {

namespace {

/// The places along a side that belong to one output; negative ones, and those from the side's length on, are
/// padding.
using Places = std::vector<int64_t>;

/// Of every output along a side.
std::vector<Places> windows_along(int64_t length, int64_t kernel, int64_t stride, int64_t padding,
                                  int64_t dilation) {
    std::vector<Places> windows;
    for (int64_t first = -padding; first + dilation * (kernel - 1) < length + padding; first += stride) {
        Places& places = windows.emplace_back();
        for (int64_t i = 0; i < kernel; ++i) places.push_back(first + i * dilation);
    }
    return windows;
}

std::vector<Places> bins_along(int64_t length, int64_t bins) {
    std::vector<Places> windows;
    for (int64_t i = 0; i < bins; ++i) {
        Places& places = windows.emplace_back();
        const double share = static_cast<double>(length) / static_cast<double>(bins);
        const auto first = static_cast<int64_t>(std::floor(static_cast<double>(i) * share + 1e-9));
        const auto end = static_cast<int64_t>(std::ceil(static_cast<double>(i + 1) * share - 1e-9));
        for (int64_t place = first; place < end; ++place) places.push_back(place);
    }
    return windows;
}

PooledMap pooled_map(uint32_t height, uint32_t width, const std::vector<Places>& downwards,
                     const std::vector<Places>& across, bool count_include_pad) {
    PooledMap map{downwards.size(), across.size(), size_t{height} * width, {}};
    for (const Places& rows : downwards) {
        for (const Places& columns : across) {
            Window& window = map.windows.emplace_back();
            for (const int64_t row : rows)
                for (const int64_t column : columns)
                    if (row >= 0 && row < height && column >= 0 && column < width)
                        window.values.push_back(static_cast<uint32_t>(row * width + column));
            window.divisor =
                static_cast<double>(count_include_pad ? rows.size() * columns.size() : window.values.size());
        }
    }
    return map;
}

/// For each output of each map: its number, its window, and where its map begins in x.
void visit(const PooledMap& map, size_t maps,
           const std::function<void(size_t, const Window&, size_t)>& output) {
    for (size_t m = 0; m < maps; ++m)
        for (size_t i = 0; i < map.windows.size(); ++i)
            output(m * map.windows.size() + i, map.windows[i], m * map.values);
}

Values magnitudes(const std::vector<float>& numbers) {
    Values result;
    for (const float number : numbers) result.push_back(std::abs(double{number}));
    return result;
}

/// As many additions as there are terms, and a division within 2.5 units in the last place of float32.
testing::Expected within(Values sums, const Values& of_magnitudes, const Values& terms) {
    constexpr double unit = 0x1p-24;
    testing::Expected expected{std::move(sums), {}};
    for (size_t i = 0; i < terms.size(); ++i)
        expected.bounds.push_back((terms[i] + 5) * unit * of_magnitudes[i] + 1e-37);
    return expected;
}

}  // namespace

PooledMap pooled_map(const MaxPool2dOptions& options) {
    const int64_t stride = options.stride == 0 ? options.kernel : options.stride;
    const auto along = [&](uint32_t length) {
        return windows_along(length, options.kernel, stride, options.padding, options.dilation);
    };
    return pooled_map(options.height, options.width, along(options.height), along(options.width), false);
}

PooledMap pooled_map(const AveragePool2dOptions& options) {
    const int64_t stride = options.stride == 0 ? options.kernel : options.stride;
    const auto along = [&](uint32_t length) {
        return windows_along(length, options.kernel, stride, options.padding, 1);
    };
    return pooled_map(options.height, options.width, along(options.height), along(options.width),
                      options.count_include_pad);
}

PooledMap pooled_map(const AdaptiveAveragePool2dOptions& options) {
    return pooled_map(options.height, options.width, bins_along(options.height, options.output.height),
                      bins_along(options.width, options.output.width), false);
}

std::vector<uint32_t> largest(const PooledMap& map, const Numbers& x) {
    const size_t maps = x.size() / map.values;
    std::vector<uint32_t> indices(maps * map.windows.size());
    visit(map, maps, [&](size_t output, const Window& window, size_t first) {
        indices[output] = window.values.front();
        for (const uint32_t value : window.values)
            if (x[first + value] > x[first + indices[output]] || std::isnan(x[first + value]))
                indices[output] = value;
    });
    return indices;
}

Values max_pool(const PooledMap& map, const Numbers& x) {
    const std::vector<uint32_t> indices = largest(map, x);
    Values y(indices.size());
    for (size_t i = 0; i < y.size(); ++i) y[i] = x[i / map.windows.size() * map.values + indices[i]];
    return y;
}

Values max_pool_backward(const PooledMap& map, const Numbers& x, const Numbers& dy) {
    const std::vector<uint32_t> indices = largest(map, x);
    Values dx(x.size());
    for (size_t i = 0; i < dy.size(); ++i) dx[i / map.windows.size() * map.values + indices[i]] += dy[i];
    return dx;
}

Values average_pool(const PooledMap& map, const Numbers& x) {
    const size_t maps = x.size() / map.values;
    Values y(maps * map.windows.size());
    visit(map, maps, [&](size_t output, const Window& window, size_t first) {
        for (const uint32_t value : window.values) y[output] += x[first + value] / window.divisor;
    });
    return y;
}

Values average_pool_backward(const PooledMap& map, const Numbers& dy) {
    const size_t maps = dy.size() / map.windows.size();
    Values dx(maps * map.values);
    visit(map, maps, [&](size_t output, const Window& window, size_t first) {
        for (const uint32_t value : window.values) dx[first + value] += dy[output] / window.divisor;
    });
    return dx;
}

testing::Expectations expected_max_pool(const PooledMap& map, const std::vector<float>& x,
                                        const std::vector<float>& dy) {
    const std::vector<uint32_t> indices = largest(map, x);
    testing::Expectations expected{
        {"y", {max_pool(map, x), Values(indices.size())}},
        {"indices", {Values(indices.begin(), indices.end()), Values(indices.size())}}};
    if (dy.empty()) return expected;
    expected["dx"] = within(max_pool_backward(map, x, dy), max_pool_backward(map, x, magnitudes(dy)),
                            max_pool_backward(map, x, Values(dy.size(), 1)));
    return expected;
}

testing::Expectations expected_average_pool(const PooledMap& map, const std::vector<float>& x,
                                            const std::vector<float>& dy) {
    PooledMap terms = map;  // whose averages are how many values there are
    for (Window& window : terms.windows) window.divisor = 1;
    testing::Expectations expected{{"y", within(average_pool(map, x), average_pool(map, magnitudes(x)),
                                                average_pool(terms, Values(x.size(), 1)))}};
    if (dy.empty()) return expected;
    expected["dx"] = within(average_pool_backward(map, dy), average_pool_backward(map, magnitudes(dy)),
                            average_pool_backward(terms, Values(dy.size(), 1)));
    return expected;
}

}  // namespace vknorm::reference
