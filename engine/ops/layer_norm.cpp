#include "vknorm/layer_norm.hpp"

#include "ops/norm/rows.hpp"

namespace vknorm {

using namespace detail;

LayerNorm::LayerNorm(Device& device, const LayerNormOptions& options)
    : rows_("LayerNorm", std::make_shared<const RowNorm>(RowNormKind{.operation = "layer_norm",
                                                                     .statistics = shaders::norm_of_batch,
                                                                     .deviation = "inv_std"},
                                                         device, options)) {}

uint64_t LayerNorm::rows() const {
    return rows_->count();
}
uint64_t LayerNorm::row_length() const {
    return rows_->length();
}
VkDeviceSize LayerNorm::scratch_bytes() const {
    return rows_->scratch_bytes();
}
std::string LayerNorm::explain() const {
    return rows_->explain();
}

void LayerNorm::forward(Recorder& recorder, const Forward& arguments) const {
    rows_->forward(recorder, {.x = arguments.x,
                              .y = arguments.y,
                              .gamma = arguments.gamma,
                              .beta = arguments.beta,
                              .mean = arguments.mean,
                              .deviation = arguments.inv_std,
                              .scratch = arguments.scratch});
}

void LayerNorm::backward(Recorder& recorder, const Backward& arguments) const {
    rows_->backward(recorder, {.x = arguments.x,
                               .dy = arguments.dy,
                               .dx = arguments.dx,
                               .mean = arguments.mean,
                               .deviation = arguments.inv_std,
                               .gamma = arguments.gamma,
                               .dgamma = arguments.dgamma,
                               .dbeta = arguments.dbeta,
                               .accumulate = arguments.accumulate,
                               .scratch = arguments.scratch});
}

}  // namespace vknorm
