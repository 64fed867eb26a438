// Any norm of [rows, channels, positions...]: the tensors that it owns, and the statistics that it reports.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "nn/layers/planned_norm.hpp"
#include "ops/arguments.hpp"
#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

class NormOfGraph final : public Layer {
  public:
    NormOfGraph(const NormLayer& options, const Shape& shape)
        : Layer(shape),
          options_(options),
          channels_(shape.front()),
          positions_(elements_of(shape) / channels_) {}

    bool works_in_place() const override { return true; }
    void take_tensors(StoreLayout& layout, const NetworkOptions& options) override;
    void check_training_rows(uint64_t rows) const override;
    std::unique_ptr<const LayerPlan> plan(Device& device, const NetworkOptions& options,
                                          uint32_t rows) const override {
        Shape shape = output_shape();
        shape.insert(shape.begin(), rows);
        return std::make_unique<PlannedNorm>(device, options_, tensors_, options.batch_norm, shape);
    }
    std::vector<ChannelStatistics> statistics(const StoreCopy& copy, const Reported& step) const override;

  private:
    void take_saved(StoreLayout& layout, TensorGroup group, uint64_t sets);
    struct Moments {
        double mean = 0, variance = 0;
    };
    /// `means` and `deviations` are what the norm saved.
    Moments batch_moments(std::span<const float> means, std::span<const float> deviations,
                          const Reported& step, size_t channel) const;

    NormLayer options_;
    uint32_t channels_;
    uint64_t positions_;  // of each channel of an example
    NormTensors tensors_;
};

void NormOfGraph::take_saved(StoreLayout& layout, TensorGroup group, uint64_t sets) {
    if (options_.kind != Norm::rms) tensors_.mean = layout.take(group, options_.name, "mean", 2 * sets);
    tensors_.inv_std = layout.take(group, options_.name, "inv_std", sets);
}

void NormOfGraph::take_tensors(StoreLayout& layout, const NetworkOptions& options) {
    const std::string& name = options_.name;
    const bool each_element = options_.kind == Norm::layer || options_.kind == Norm::rms;
    const std::vector<uint64_t> parameters =
        each_element ? std::vector<uint64_t>(output_shape().begin(), output_shape().end())
                     : std::vector<uint64_t>{channels_};
    tensors_.gamma = layout.take(TensorGroup::affine, name, "weight", parameters, {.value = 1});
    if (options_.kind != Norm::rms)
        tensors_.beta = layout.take(TensorGroup::affine, name, "bias", parameters);
    if (keeps_running_statistics(options_.kind)) {
        tensors_.running_mean = layout.take(TensorGroup::running, name, "running_mean", channels_);
        tensors_.running_variance =
            layout.take(TensorGroup::running, name, "running_var", channels_, {.value = 1});
        tensors_.batches = layout.take(TensorGroup::counters, name, "num_batches_tracked", 2);
        tensors_.moments =
            layout.take(TensorGroup::kept, name, "moments", channels_ * sizeof(ChannelMoments) / 4);
    }
    const bool shareable = options_.kind == Norm::batch || !keeps_running_statistics(options_.kind);
    if (options.exchange != nullptr && !shareable)
        refuse("network", "exchange", "a node \"" + name + "\" of ghosts or batch renormalization",
               "norms whose statistics can be shared: batch normalization");
    const uint64_t batch = options.max_batch, channels = channels_;
    switch (options_.kind) {
        case Norm::none:
            break;
        case Norm::batch:
            take_saved(layout, TensorGroup::watched, channels);
            if (options.exchange == nullptr) break;
            tensors_.sums = layout.take(TensorGroup::kept, name, "sums", channels * sizeof(ChannelSums) / 4);
            break;
        case Norm::batch_renorm:
            take_saved(layout, TensorGroup::reported, channels);
            tensors_.r = layout.take(TensorGroup::reported, name, "r", channels);
            tensors_.d = layout.take(TensorGroup::reported, name, "d", channels);
            break;
        case Norm::ghost:
            take_saved(layout, TensorGroup::reported,
                       channels * ceil_div<uint64_t>(batch, options_.ghost_size));
            break;
        case Norm::layer:
        case Norm::rms:
            take_saved(layout, TensorGroup::kept, batch);
            break;
        case Norm::group:
            take_saved(layout, TensorGroup::kept, batch * options_.groups);
            break;
        case Norm::instance:
            take_saved(layout, TensorGroup::kept, batch * channels);
            break;
    }
}

void NormOfGraph::check_training_rows(uint64_t rows) const {
    if (!keeps_running_statistics(options_.kind)) return;
    if (positions_ > 1) return;
    if (rows == 1) {
        std::string size = "[1";
        for (const uint32_t length : output_shape()) size += ", " + std::to_string(length);
        throw std::invalid_argument(
            "network.train_step: expected more than 1 value per channel when training, got input size " +
            size + "]");
    }
    if (options_.kind == Norm::ghost && rows % options_.ghost_size == 1)
        refuse("network.train_step", "labels", std::to_string(rows) + " rows",
               "a number that leaves no single row for the last ghost of " +
                   std::to_string(options_.ghost_size));
}

// Of one channel over all rows, from those of parts that are normalized together (Chan, Golub, LeVeque,
// "Updating formulae and a pairwise algorithm for computing sample variances", 1979).
NormOfGraph::Moments NormOfGraph::batch_moments(std::span<const float> means,
                                                std::span<const float> deviations, const Reported& step,
                                                size_t channel) const {
    const uint32_t together = options_.kind == Norm::ghost ? options_.ghost_size : step.rows;
    Moments all;
    double rows = 0, squares = 0;  // squares: of deviations from the mean so far
    for (uint64_t part = 0; part * together < step.rows; ++part) {
        const double count = std::min<double>(together, step.rows - static_cast<double>(part * together));
        const double mean = means[2 * part * channels_ + channel];
        const double inv_std = deviations[part * channels_ + channel];
        const double variance =
            inv_std == 0 ? 0 : std::max(0.0, 1 / (inv_std * inv_std) - double{step.epsilon});
        const double apart = mean - all.mean, sum = rows + count;
        squares += variance * count + apart * apart * rows * count / sum;
        all.mean += apart * count / sum;
        rows = sum;
    }
    all.variance = squares / rows;
    return all;
}

/// Of equal parts.
float mean_of_part(std::span<const float> values, size_t part, size_t parts) {
    const size_t count = values.size() / parts;
    const auto its = values.subspan(part * count, count);
    return static_cast<float>(std::accumulate(its.begin(), its.end(), 0.0) / static_cast<double>(count));
}

std::vector<ChannelStatistics> NormOfGraph::statistics(const StoreCopy& copy, const Reported& step) const {
    const auto floats = [&](const StoredTensor& tensor) {
        return tensor ? copy(tensor) : std::span<const float>();
    };
    const bool of_batch = tensors_.running_mean && step.statistics != Statistics::running;
    const auto gamma = floats(tensors_.gamma), beta = floats(tensors_.beta);
    const auto running_mean = floats(tensors_.running_mean),
               running_variance = floats(tensors_.running_variance);
    const auto means = floats(of_batch ? tensors_.mean : StoredTensor{}),
               deviations = floats(of_batch ? tensors_.inv_std : StoredTensor{});
    std::vector<ChannelStatistics> channels(channels_);
    for (size_t i = 0; i < channels.size(); ++i) {
        ChannelStatistics& channel = channels[i];
        channel.gamma = mean_of_part(gamma, i, channels_);
        if (!beta.empty()) channel.beta = mean_of_part(beta, i, channels_);
        channel.batch_mean = channel.batch_variance = channel.running_mean = channel.running_variance =
            std::numeric_limits<float>::quiet_NaN();
        if (running_mean.empty()) continue;
        channel.running_mean = running_mean[i];
        channel.running_variance = running_variance[i];
        if (!of_batch) continue;
        const Moments moments = batch_moments(means, deviations, step, i);
        channel.batch_mean = static_cast<float>(moments.mean);
        channel.batch_variance = static_cast<float>(moments.variance);
    }
    return channels;
}

}  // namespace

}  // namespace vknorm::detail

namespace vknorm {

namespace {
constexpr size_t most_dimensions = 4;  // of an example: operations have one more, the rows
}

std::unique_ptr<detail::Layer> NormLayer::make(const std::vector<detail::Shape>& inputs) const {
    const detail::Shape& shape = inputs[0];
    if (shape.size() > most_dimensions)
        detail::refuse("graph", name, "an input of shape " + detail::text_of(shape),
                       "{channels, ...}, of " + std::to_string(most_dimensions) + " dimensions at most");
    const uint32_t channels = shape.front();
    detail::require_value("graph", name + ".kind", kind, Norm::instance);
    if (kind == Norm::none) detail::refuse("graph", name + ".kind", "none", "a norm");
    if (kind == Norm::group && (groups == 0 || channels % groups != 0))
        detail::refuse(
            "graph", name + ".groups", std::to_string(groups),
            "a divisor of its " + std::to_string(channels) + (shape.size() == 1 ? " units" : " channels"));
    if (kind == Norm::instance && detail::elements_of(shape) == channels)
        detail::refuse("graph", name + ".kind", "instance for an input of shape " + detail::text_of(shape),
                       "more than one value in each channel of an example");
    if (kind == Norm::ghost && ghost_size < 2)
        detail::refuse("graph", name + ".ghost_size", std::to_string(ghost_size), "at least 2 rows");
    return std::make_unique<detail::NormOfGraph>(*this, shape);
}

}  // namespace vknorm
