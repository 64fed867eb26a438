#include "ops/norm/rows.hpp"

#include <algorithm>

namespace vknorm::detail {

namespace {

struct Rows {
    uint64_t count = 1, length = 1;
};

Rows rows_of(const std::string& operation, const LayerNormOptions& options) {
    const std::vector<uint32_t>& shape = options.shape;
    if (shape.empty() || shape.size() > 8)
        refuse(operation, "shape", std::to_string(shape.size()) + " dimensions", "1 to 8");
    if (options.normalized_dimensions == 0 || options.normalized_dimensions > shape.size())
        refuse(operation, "normalized_dimensions", std::to_string(options.normalized_dimensions),
               "1 to the shape's " + std::to_string(shape.size()));
    Rows rows;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
        uint64_t& product = axis + options.normalized_dimensions < shape.size() ? rows.count : rows.length;
        product = checked_product(product, shape[axis], operation + ": shape");
    }
    if (rows.length == 0) refuse(operation, "shape", "rows of 0 elements", "at least 1");
    if (std::max(rows.count, rows.length) > 0xffffffffu)
        refuse(operation, "shape",
               std::to_string(rows.count) + " rows of " + std::to_string(rows.length) + " elements",
               "at most 4294967295 of each");
    checked_product(checked_product(rows.count, rows.length, operation + ": shape"), 4,
                    operation + ": shape");
    return rows;
}

}  // namespace

RowNormPlan::RowNormPlan(const std::string& operation, Device& from, const LayerNormOptions& options)
    : device(&from.state()),
      storage{.bfloat16 = options.storage == Storage::bfloat16},
      epsilon(options.epsilon) {
    check_epsilon(operation, epsilon);
    check_storage(operation, from, options.storage);
    const auto [count, length] = rows_of(operation, options);
    const uint32_t bytes = storage_bytes(options.storage);
    const PlanLimits limits = limits_of(from);
    rows = plan_norm(operation, {.images = 1, .channels = count, .positions = length}, bytes, limits);
    columns = plan_norm(operation, {.images = count, .channels = length, .positions = 1}, bytes, limits);
    partials = scratch.add(std::max(rows.partial_bytes(), columns.partial_bytes()));
    means = scratch.add(2 * row_bytes());
}

std::string RowNormPlan::explain() const {
    return detail::explain(rows) + explain_passes(*device, rows, storage, {.by_position = true}) +
           "  gradients of parameters: " + detail::explain(columns) +
           "  scratch: " + std::to_string(scratch.bytes()) + " bytes\n";
}

void RowNormPlan::forward(Recorder& recorder, uint32_t kind, const Tensors& tensors) const {
    const BufferView strands = partials.of(tensors.scratch);
    record(recorder, rows, storage, StatisticsPass{.x = tensors.x, .partials = strands});
    record(recorder, rows,
           FinalizePass{.from = partials_of_sets(rows, 1, strands),
                        .mean = tensors.mean,
                        .inv_std = tensors.deviation,
                        .root_mean_square = kind == shaders::norm_of_squares,
                        .epsilon = epsilon});
    record(recorder, rows, storage,
           ApplyPass{.x = tensors.x,
                     .y = tensors.y,
                     .affine = {.gamma = tensors.gamma,
                                .beta = tensors.beta,
                                .by_position = tensors.gamma || tensors.beta},
                     .statistics = {.kind = kind, .mean = tensors.mean, .deviation = tensors.deviation}});
}

void RowNormPlan::backward(Recorder& recorder, uint32_t kind, const Tensors& tensors) const {
    const Statistics statistics{.kind = kind, .mean = tensors.mean, .deviation = tensors.deviation};
    const BufferView strands = partials.of(tensors.scratch), pairs = means.of(tensors.scratch);
    if (tensors.dgamma || tensors.dbeta) {
        Statistics by_image = statistics;
        by_image.by_image = bool(tensors.dgamma);
        record(recorder, columns, storage,
               BackwardSumsPass{.x = tensors.dgamma ? tensors.x : BufferView{},
                                .dy = tensors.dy,
                                .statistics = by_image,
                                .partials = strands});
        record(recorder, columns,
               BackwardFinalizePass{.from = partials_of_sets(columns, 1, strands),
                                    .dgamma = tensors.dgamma,
                                    .dbeta = tensors.dbeta,
                                    .accumulate = tensors.accumulate});
    }
    if (!tensors.dx) return;
    const bool weighted = bool(tensors.gamma);
    const Affine affine{.gamma = tensors.gamma, .by_position = weighted};
    record(recorder, rows, storage,
           BackwardSumsPass{.x = tensors.x,
                            .dy = tensors.dy,
                            .affine = affine,
                            .weighted = weighted,
                            .statistics = statistics,
                            .partials = strands});
    record(recorder, rows,
           BackwardFinalizePass{.from = partials_of_sets(rows, 1, strands),
                                .means = pairs,
                                .values = {.known = row_length()},
                                .centred = kind == shaders::norm_of_batch});
    record(recorder, rows, storage,
           BackwardApplyPass{.x = tensors.x,
                             .dy = tensors.dy,
                             .dx = tensors.dx,
                             .affine = affine,
                             .weighted = weighted,
                             .statistics = statistics,
                             .means = pairs});
}

}  // namespace vknorm::detail
