#include "ops/conv2d_shapes.hpp"

#include <algorithm>
#include <numeric>

#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

/// Strides of a padded copy, in floats.
struct Steps {
    explicit Steps(const PaddedShape& shape)
        : image(static_cast<int32_t>(shape.image())),
          row(static_cast<int32_t>(shape.row())),
          column(static_cast<int32_t>(shape.pitch())) {}

    int32_t image, row, column;
};

/// Trips of an invocation's loops for a run, beyond which drivers stop: see Gemm::most_terms.
uint64_t trips(uint64_t terms) {
    constexpr uint32_t most_at_once = 8;  // terms that a kernel takes together
    return round_up<uint64_t>(terms, most_at_once) + 2;
}

/// Longer runs are fewer: axes along which both factors go on as along the last one become one with it.
std::array<TermAxis, 3> merged(std::array<TermAxis, 3> axes) {
    // A part of a sum has whole runs: there must be enough of them.
    constexpr uint32_t longest = 4096;
    auto& [x, y, z] = axes;
    for (int i = 0; i < 2; ++i) {
        const auto count = static_cast<int32_t>(z.count);
        const bool goes_on = y.count == 1 || (y.a == count * z.a && y.b == count * z.b);
        if (!goes_on || uint64_t{y.count} * z.count > longest) break;
        z.count *= y.count;
        y = x;
        x = {};
    }
    return axes;
}

/// Kernels take terms of a run four at a time: the axis that fills these the best becomes the last one, the
/// longest of several.
std::array<TermAxis, 3> in_fours(std::array<TermAxis, 3> axes) {
    const auto worth = [](const TermAxis& axis) {
        const uint32_t steps = ceil_div(axis.count, 4u);
        return std::pair(static_cast<double>(axis.count) / steps, steps);
    };
    const auto best = std::max_element(axes.begin(), axes.end(),
                                       [&](const auto& a, const auto& b) { return worth(a) < worth(b); });
    std::rotate(best, best + 1, axes.end());
    return axes;
}

/// Where a row or column of dx, and every stride-th from there on, finds its terms.
struct Class {
    uint32_t first = 0, count = 0;     ///< of dx
    uint32_t first_tap = 0, taps = 0;  ///< of the kernel
    uint32_t step = 0;                 ///< from a tap to the next
    int32_t dy = 0, dy_step = 0;       ///< what the first row takes with the first tap, and from tap to tap
};

std::vector<Class> classes_of(const Conv2dOptions& o, uint32_t size) {
    std::vector<Class> classes;
    const uint32_t step = o.stride / std::gcd(o.stride, o.dilation);
    for (uint32_t first = 0; first < std::min(o.stride, size); ++first) {
        Class each{.first = first, .count = ceil_div(size - first, o.stride), .step = step};
        const auto meets = [&](uint32_t tap) {
            return (int64_t{first} + o.padding - int64_t{tap} * o.dilation) % o.stride == 0;
        };
        while (each.first_tap < std::min(step, o.kernel) && !meets(each.first_tap)) ++each.first_tap;
        if (each.first_tap < std::min(step, o.kernel)) {
            each.taps = ceil_div(o.kernel - each.first_tap, step);
            each.dy = static_cast<int32_t>(
                (int64_t{first} + o.padding - int64_t{each.first_tap} * o.dilation) / o.stride);
            each.dy_step = -static_cast<int32_t>(uint64_t{step} * o.dilation / o.stride);
        }
        classes.push_back(each);
    }
    return classes;
}

}  // namespace

PaddedShape padded_x(const Conv2dOptions& o) {
    const auto met = [&](uint32_t outputs) {
        return (outputs - 1) * o.stride + (o.kernel - 1) * o.dilation + 1;
    };
    return {.images = o.images,
            .channels = o.in_channels,
            .height = o.height,
            .width = o.width,
            .padded_height = met(o.output_height()),
            .padded_width = met(o.output_width()),
            .padding = o.padding};
}

PaddedShape padded_dy(const Conv2dOptions& o) {
    const uint32_t reach = (o.kernel - 1) * o.dilation;
    const uint32_t before = reach > o.padding ? (reach - o.padding) / o.stride : 0;
    const auto met = [&](uint32_t size, uint32_t outputs) {
        return before + std::max(outputs, (size - 1 + o.padding) / o.stride + 1);
    };
    return {.images = o.images,
            .channels = o.out_channels,
            .height = o.output_height(),
            .width = o.output_width(),
            .padded_height = met(o.height, o.output_height()),
            .padded_width = met(o.width, o.output_width()),
            .padding = before};
}

PaddedShape copied_weight(const Conv2dOptions& o) {
    return {.images = o.out_channels,
            .channels = o.in_channels,
            .height = o.kernel,
            .width = o.kernel,
            .padded_height = o.kernel,
            .padded_width = o.kernel};
}

PaddedShape copied_weight_of_input(const Conv2dOptions& o) {
    return {.images = o.in_channels,
            .channels = o.out_channels,
            .height = o.kernel,
            .width = o.kernel,
            .padded_height = o.kernel,
            .padded_width = o.kernel,
            .images_inside = true};
}

Conv2dShapes::Conv2dShapes(const Conv2dOptions& o) {
    const PaddedShape x = padded_x(o), dy = padded_dy(o);
    const uint32_t out_height = o.output_height(), out_width = o.output_width(), taps = o.kernel * o.kernel;
    const auto plane = static_cast<int32_t>(o.height * o.width);
    const auto out_plane = static_cast<int32_t>(out_height * out_width);
    const auto stride = static_cast<int32_t>(o.stride), dilation = static_cast<int32_t>(o.dilation);
    const auto in_channels = static_cast<int32_t>(o.in_channels), kernel = static_cast<int32_t>(o.kernel);
    const auto out_channels = static_cast<int32_t>(o.out_channels);
    const Steps in_x(x), in_dy(dy), in_weight(copied_weight(o)),
        in_weight_of_input(copied_weight_of_input(o));

    forward = {.rows = o.out_channels,
               .a_row = in_weight.image,
               .c_row = out_plane,
               .columns = {ColumnAxis{o.images, in_x.image, out_channels * out_plane},
                           ColumnAxis{out_height, stride * in_x.row, static_cast<int32_t>(out_width)},
                           ColumnAxis{out_width, stride * in_x.column, 1}},
               .terms = merged({TermAxis{o.kernel, in_weight.row, dilation * in_x.row},
                                TermAxis{o.kernel, in_weight.column, dilation * in_x.column},
                                TermAxis{x.pitch(), 1, 1}}),
               .stored = out_width,
               .whole_vectors = out_plane % 4 == 0,
               .bias = GemmBias::add};
    forward.part_runs = forward.runs();

    for (const Class& rows : classes_of(o, o.height)) {
        for (const Class& columns : classes_of(o, o.width)) {
            const auto first_of_dy = [&](const Class& each) {
                return each.dy + static_cast<int32_t>(dy.padding);
            };
            ConvolutionShape shape{
                .rows = o.in_channels,
                .a_first = static_cast<int32_t>(rows.first_tap) * in_weight_of_input.row +
                           static_cast<int32_t>(columns.first_tap) * in_weight_of_input.column,
                .a_row = in_weight_of_input.image,
                .b_first = first_of_dy(rows) * in_dy.row + first_of_dy(columns) * in_dy.column,
                .c_first = static_cast<int32_t>(rows.first * o.width + columns.first),
                .c_row = plane,
                .columns = {ColumnAxis{o.images, in_dy.image, in_channels * plane},
                            ColumnAxis{rows.count, in_dy.row, stride * static_cast<int32_t>(o.width)},
                            ColumnAxis{columns.count, in_dy.column, stride}},
                .terms = {TermAxis{rows.taps, static_cast<int32_t>(rows.step) * in_weight_of_input.row,
                                   rows.dy_step * in_dy.row},
                          TermAxis{columns.taps,
                                   static_cast<int32_t>(columns.step) * in_weight_of_input.column,
                                   columns.dy_step * in_dy.column},
                          TermAxis{dy.pitch(), 1, 1}},
                .stored = columns.count,
                .whole_vectors = o.stride == 1 && plane % 4 == 0};
            if (shape.runs() > 0)
                shape.terms = merged(shape.terms);
            else
                shape.terms = {TermAxis{.count = 0}};
            shape.part_runs = shape.runs();
            input.push_back(shape);
        }
    }

    parameters = {.rows = o.out_channels,
                  .a_first = static_cast<int32_t>(dy.padding) * (in_dy.row + in_dy.column),
                  .a_row = 1,
                  .c_row = in_channels * static_cast<int32_t>(taps),
                  .columns = {ColumnAxis{o.kernel, dilation * in_x.row, kernel},
                              ColumnAxis{o.kernel, dilation * in_x.column, 1},
                              ColumnAxis{x.pitch(), 1, static_cast<int32_t>(taps)}},
                  .terms = in_fours(merged({TermAxis{o.images, in_dy.image, in_x.image},
                                            TermAxis{out_height, in_dy.row, stride * in_x.row},
                                            TermAxis{out_width, in_dy.column, stride * in_x.column}})),
                  .stored = o.in_channels,
                  .lines_are_terms = true,
                  .bias = GemmBias::sum_a,
                  .c_part = out_channels * in_channels * static_cast<int32_t>(taps)};
    // Where there are few weights, parts give a large device more to do.
    constexpr uint64_t wanted_sums = 1 << 18, most_parts = 256, least_terms = 256;
    const uint64_t runs = parameters.runs(), run = parameters.terms[2].count;
    const auto sums = static_cast<uint64_t>(parameters.c_part);
    const uint64_t parts =
        std::min({ceil_div(wanted_sums, sums), ceil_div(runs * run, least_terms), most_parts});
    const uint64_t longest = std::max<uint64_t>(1, Gemm::most_terms / trips(run));
    parameters.part_runs = static_cast<uint32_t>(std::min(ceil_div(runs, parts), longest));
}

}  // namespace vknorm::detail
