#include "vknorm/rms_norm.hpp"

#include "ops/norm/rows.hpp"

namespace vknorm {

using namespace detail;

RmsNorm::RmsNorm(Device& device, const LayerNormOptions& options)
    : rows_("RmsNorm", std::make_shared<const RowNorm>(RowNormKind{.operation = "rms_norm",
                                                                   .statistics = shaders::norm_of_squares,
                                                                   .deviation = "inv_rms"},
                                                       device, options)) {}

uint64_t RmsNorm::rows() const {
    return rows_->count();
}
uint64_t RmsNorm::row_length() const {
    return rows_->length();
}
VkDeviceSize RmsNorm::scratch_bytes() const {
    return rows_->scratch_bytes();
}
std::string RmsNorm::explain() const {
    return rows_->explain();
}

void RmsNorm::forward(Recorder& recorder, const Forward& arguments) const {
    rows_->forward(recorder, {.x = arguments.x,
                              .y = arguments.y,
                              .gamma = arguments.gamma,
                              .deviation = arguments.inv_rms,
                              .scratch = arguments.scratch});
}

void RmsNorm::backward(Recorder& recorder, const Backward& arguments) const {
    rows_->backward(recorder, {.x = arguments.x,
                               .dy = arguments.dy,
                               .dx = arguments.dx,
                               .deviation = arguments.inv_rms,
                               .gamma = arguments.gamma,
                               .dgamma = arguments.dgamma,
                               .accumulate = arguments.accumulate,
                               .scratch = arguments.scratch});
}

}  // namespace vknorm
