#include "ops/norm/rows.hpp"

#include <algorithm>
#include <limits>

#include "ops/norm/arguments.hpp"
#include "ops/norm/options.hpp"
#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

constexpr size_t most_dimensions = 8;

/// Rows of `count` and `length` as [1 image][count channels][length positions].
Extent extent_of(const std::string& operation, const LayerNormOptions& options) {
    check_epsilon(operation, options.epsilon);
    const std::vector<uint32_t>& shape = options.shape;
    if (shape.empty() || shape.size() > most_dimensions)
        refuse(operation, "shape", std::to_string(shape.size()) + " dimensions", "1 to 8");
    if (options.normalized_dimensions == 0 || options.normalized_dimensions > shape.size())
        refuse(operation, "normalized_dimensions", std::to_string(options.normalized_dimensions),
               "1 to the shape's " + std::to_string(shape.size()));
    uint64_t count = 1, length = 1;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
        uint64_t& product = axis + options.normalized_dimensions < shape.size() ? count : length;
        product = checked_product(product, shape[axis], operation + ": shape");
    }
    if (length == 0) refuse(operation, "shape", "rows of 0 elements", "at least 1");
    if (std::max(count, length) > std::numeric_limits<uint32_t>::max())
        refuse(operation, "shape", std::to_string(count) + " rows of " + std::to_string(length) + " elements",
               "at most 4294967295 of each");
    checked_product(checked_product(count, length, operation + ": shape"), sizeof(float),
                    operation + ": shape");
    return {.images = 1, .channels = count, .positions = length};
}

/// The same tensor, cut by positions.
Extent columns_of(const Extent& rows) {
    return {.images = rows.channels, .channels = rows.positions, .positions = 1};
}

}  // namespace

RowNorm::RowNorm(const RowNormKind& kind, Device& device, const LayerNormOptions& options)
    : kind_(kind),
      rows_(device, plan_norm(kind.operation, extent_of(kind.operation, options), options.storage,
                              limits_of(device))),
      columns_(device, plan_norm(kind.operation, columns_of(rows_.plan().extent), options.storage,
                                 limits_of(device))),
      epsilon_(options.epsilon),
      partials_(scratch_.add(std::max(rows_.plan().partial_bytes(), columns_.plan().partial_bytes()))),
      means_(scratch_.add(2 * row_bytes())) {}

std::string RowNorm::explain() const {
    return rows_.explain_fused({.by_position = true}) +
           "  gradients of parameters: " + detail::explain(columns_.plan()) + "  " +
           explain_scratch(scratch_bytes());
}

void RowNorm::forward(Recorder& recorder, const Forward& arguments) const {
    NormArguments check(recorder, rows_, "forward");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, parameter_bytes());
    check.optional_input("beta", arguments.beta, parameter_bytes());
    if (kind_.has_mean()) check.output("mean", arguments.mean, 2 * row_bytes());
    check.output(kind_.deviation, arguments.deviation, row_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = partials_.of(arguments.scratch);
    rows_.forward(recorder, {.x = arguments.x, .partials = partials},
                  {.from = partials_of_sets(rows_.plan(), partials),
                   .x = arguments.x,
                   .mean = arguments.mean,
                   .inv_std = arguments.deviation,
                   .root_mean_square = !kind_.has_mean(),
                   .epsilon = epsilon_},
                  {.x = arguments.x,
                   .y = arguments.y,
                   .affine = {.gamma = arguments.gamma,
                              .beta = arguments.beta,
                              .by_position = arguments.gamma || arguments.beta},
                   .statistics = statistics(arguments.mean, arguments.deviation)});
}

void RowNorm::backward(Recorder& recorder, const Backward& arguments) const {
    NormArguments check(recorder, rows_, "backward");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    if (kind_.has_mean()) check.input("mean", arguments.mean, 2 * row_bytes());
    check.input(kind_.deviation, arguments.deviation, row_bytes());
    check.optional_input("gamma", arguments.gamma, parameter_bytes());
    check.optional_output("dgamma", arguments.dgamma, parameter_bytes());
    check.optional_output("dbeta", arguments.dbeta, parameter_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const StatisticsView of_rows = statistics(arguments.mean, arguments.deviation);
    const BufferView partials = partials_.of(arguments.scratch), means = means_.of(arguments.scratch);
    if (arguments.dgamma || arguments.dbeta) {
        StatisticsView of_images = of_rows;
        of_images.by_image = bool(arguments.dgamma);
        columns_.backward_sums(recorder, {.x = arguments.dgamma ? arguments.x : BufferView{},
                                          .dy = arguments.dy,
                                          .statistics = of_images,
                                          .partials = partials});
        columns_.backward_finalize(recorder, {.from = partials_of_sets(columns_.plan(), partials),
                                              .dgamma = arguments.dgamma,
                                              .dbeta = arguments.dbeta,
                                              .accumulate = arguments.accumulate});
    }
    if (!arguments.dx) return;
    const bool weighted = bool(arguments.gamma);
    const Affine affine{.gamma = arguments.gamma, .by_position = weighted};
    rows_.backward(recorder,
                   {.x = arguments.x,
                    .dy = arguments.dy,
                    .affine = affine,
                    .weighted = weighted,
                    .statistics = of_rows,
                    .partials = partials},
                   {.from = partials_of_sets(rows_.plan(), partials),
                    .means = means,
                    .values = {.known = length()},
                    .centred = kind_.has_mean()},
                   {.x = arguments.x,
                    .dy = arguments.dy,
                    .dx = arguments.dx,
                    .affine = affine,
                    .weighted = weighted,
                    .statistics = of_rows,
                    .means = means});
}

}  // namespace vknorm::detail
