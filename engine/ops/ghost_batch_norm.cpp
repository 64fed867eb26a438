// Ghosts are batches of their own: sub-views of the tensors, normalized one after the other.
#include "vknorm/ghost_batch_norm.hpp"

#include <algorithm>
#include <optional>

#include "ops/norm/arguments.hpp"
#include "ops/norm/options.hpp"
#include "ops/sizes.hpp"
#include "vulkan/device_state.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm {

namespace {

using namespace detail;

constexpr const char* name = "ghost_batch_norm";

BatchNormOptions batch_options(const GhostBatchNormOptions& options, uint32_t images) {
    BatchNormOptions result{.shape = options.shape,
                            .layout = options.layout,
                            .convention = options.convention,
                            .single_value = options.single_value,
                            .storage = options.storage,
                            .guard = options.guard};
    result.shape.front() = images;
    return result;
}

/// Under the name of this operation, before a BatchNorm checks the same.
GhostBatchNormOptions checked(Device& device, const GhostBatchNormOptions& options) {
    batch_extent(name, options.shape, options.layout);
    if (options.ghost_size == 0) refuse(name, "ghost_size", "0", "at least 1");
    check_convention(name, options.convention);
    require_value(name, "single_value", options.single_value, SingleValue::normalize);
    check_storage(name, device, options.storage);
    return options;
}

}  // namespace

struct GhostBatchNorm::Impl {
    Impl(Device& from, const GhostBatchNormOptions& given)
        : device(from.state().shared_from_this()),
          options(checked(from, given)),
          images(options.shape.front()),
          ghosts(ceil_div(images, options.ghost_size)),
          whole(from, batch_options(options, std::min(images, options.ghost_size))) {
        const uint32_t left = images % options.ghost_size;
        if (ghosts > 1 && left > 0) last.emplace(from, batch_options(options, left));
    }

    std::shared_ptr<const DeviceState> device;
    GhostBatchNormOptions options;
    uint32_t images, ghosts;
    BatchNorm whole;
    std::optional<BatchNorm> last;  ///< of fewer images than the others

    uint64_t elements() const {
        return last ? (ghosts - 1) * whole.elements() + last->elements() : ghosts * whole.elements();
    }
    uint64_t tensor_bytes() const { return elements() * storage_bytes(options.storage); }
    uint64_t channel_bytes() const { return whole.channels() * sizeof(float); }
    uint64_t scratch_bytes() const {
        return std::max(whole.scratch_bytes(), last ? last->scratch_bytes() : VkDeviceSize{0});
    }
    const BatchNorm& batch_norm(uint32_t ghost) const { return last && ghost + 1 == ghosts ? *last : whole; }
    /// The part of a tensor that is a ghost's.
    BufferView tensor_of(uint32_t ghost, const BufferView& tensor) const {
        const uint64_t bytes = storage_bytes(options.storage);
        return part(tensor, ghost * whole.elements() * bytes, batch_norm(ghost).elements() * bytes);
    }
    uint64_t statistics_bytes(uint32_t rows) const { return channel_bytes() * rows * ghosts; }
    /// The part of saved statistics, `rows` for each channel.
    BufferView statistics_of(uint32_t ghost, const BufferView& all, uint32_t rows) const {
        return part(all, channel_bytes() * rows * ghost, channel_bytes() * rows);
    }

    Arguments arguments(const Recorder& recorder, const char* call) const {
        return {std::string(name) + "." + call, recorder, device.get()};
    }

  private:
    static BufferView part(const BufferView& view, uint64_t first, uint64_t bytes) {
        return view ? BufferView{view.buffer, view.offset + first, bytes} : view;
    }
};

GhostBatchNorm::GhostBatchNorm(Device& device, const GhostBatchNormOptions& options)
    : impl_("GhostBatchNorm", std::make_shared<const Impl>(device, options)) {}

uint32_t GhostBatchNorm::channels() const {
    return impl_->whole.channels();
}
uint64_t GhostBatchNorm::elements() const {
    return impl_->elements();
}
uint32_t GhostBatchNorm::ghosts() const {
    return impl_->ghosts;
}
VkDeviceSize GhostBatchNorm::scratch_bytes() const {
    return impl_->scratch_bytes();
}
std::string GhostBatchNorm::explain() const {
    std::string text = std::string(name) + ": " + std::to_string(ghosts()) + " ghosts, each ";
    text += impl_->whole.explain();
    return impl_->last ? text + "the last ghost " + impl_->last->explain() : text;
}

void GhostBatchNorm::forward_training(Recorder& recorder, const ForwardTraining& arguments) const {
    const Impl& impl = *impl_;
    Arguments check = impl.arguments(recorder, "forward_training");
    for (uint32_t ghost : {0u, impl.ghosts - 1}) {
        if (impl.ghosts == 0 || impl.options.single_value != SingleValue::error) break;
        if (impl.batch_norm(ghost).values_per_channel() != 1) continue;
        check.refuse("x", "1 value per channel in ghost " + std::to_string(ghost),
                     "more than 1 when training");
    }
    check.offsets(storage_bytes(impl.options.storage));
    check.input("x", arguments.x, impl.tensor_bytes());
    check.output("y", arguments.y, impl.tensor_bytes(), {"x"});
    check.offsets(sizeof(float));
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    check.optional_input("beta", arguments.beta, impl.channel_bytes());
    check.output("mean", arguments.mean, impl.statistics_bytes(2));
    check.output("inv_std", arguments.inv_std, impl.statistics_bytes(1));
    check_running(check, impl.options.convention, impl.options.guard, impl.channel_bytes(),
                  RunningBuffers::of(arguments));
    check.output("scratch", arguments.scratch, impl.scratch_bytes());
    check.check_overlap();

    for (uint32_t ghost = 0; ghost < impl.ghosts; ++ghost) {
        impl.batch_norm(ghost).forward_training(recorder,
                                                {.x = impl.tensor_of(ghost, arguments.x),
                                                 .y = impl.tensor_of(ghost, arguments.y),
                                                 .gamma = arguments.gamma,
                                                 .beta = arguments.beta,
                                                 .mean = impl.statistics_of(ghost, arguments.mean, 2),
                                                 .inv_std = impl.statistics_of(ghost, arguments.inv_std, 1),
                                                 .running_mean = arguments.running_mean,
                                                 .running_var = arguments.running_var,
                                                 .num_batches_tracked = arguments.num_batches_tracked,
                                                 .num_batches_refused = arguments.num_batches_refused,
                                                 .scratch = arguments.scratch});
    }
}

void GhostBatchNorm::backward(Recorder& recorder, const Backward& arguments) const {
    const Impl& impl = *impl_;
    Arguments check = impl.arguments(recorder, "backward");
    check.offsets(storage_bytes(impl.options.storage));
    check.input("x", arguments.x, impl.tensor_bytes());
    check.input("dy", arguments.dy, impl.tensor_bytes());
    check.optional_output("dx", arguments.dx, impl.tensor_bytes(), {"dy"});
    check.offsets(sizeof(float));
    check.input("mean", arguments.mean, impl.statistics_bytes(2));
    check.input("inv_std", arguments.inv_std, impl.statistics_bytes(1));
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    check.optional_output("dgamma", arguments.dgamma, impl.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, impl.channel_bytes());
    check.output("scratch", arguments.scratch, impl.scratch_bytes());
    check.check_overlap();

    for (uint32_t ghost = 0; ghost < impl.ghosts; ++ghost) {
        impl.batch_norm(ghost).backward(recorder, {.x = impl.tensor_of(ghost, arguments.x),
                                                   .dy = impl.tensor_of(ghost, arguments.dy),
                                                   .mean = impl.statistics_of(ghost, arguments.mean, 2),
                                                   .inv_std = impl.statistics_of(ghost, arguments.inv_std, 1),
                                                   .gamma = arguments.gamma,
                                                   .dx = impl.tensor_of(ghost, arguments.dx),
                                                   .dgamma = arguments.dgamma,
                                                   .dbeta = arguments.dbeta,
                                                   .accumulate = arguments.accumulate || ghost > 0,
                                                   .scratch = arguments.scratch});
    }
    if (impl.ghosts > 0 || arguments.accumulate) return;
    for (const BufferView& gradient : {arguments.dgamma, arguments.dbeta})
        if (gradient) fill(recorder, {gradient.buffer, gradient.offset, impl.channel_bytes()}, 0);
}

}  // namespace vknorm
