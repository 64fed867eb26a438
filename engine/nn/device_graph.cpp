#include "nn/device_graph.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/add.hpp"
#include "ops/arguments.hpp"
#include "ops/divergence.hpp"
#include "ops/sizes.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

void check(const NetworkOptions& options) {
    require_positive("network", "max_batch", options.max_batch);
    if (!options.renorm) refuse("network", "renorm", "no function", "one");
    if (!(options.init_scale >= 0) || !std::isfinite(options.init_scale))
        refuse("network", "init_scale", std::to_string(options.init_scale), "a finite number from 0 on");
    require_positive("network", "accumulate", options.accumulate);
    if (options.accumulate > std::numeric_limits<uint32_t>::max() / options.max_batch)
        refuse("network", "accumulate", std::to_string(options.accumulate), "fewer rows in a step than 2^32");
    if (!(options.label_smoothing >= 0 && options.label_smoothing < 1))
        refuse("network", "label_smoothing", std::to_string(options.label_smoothing), "0 to less than 1");
}

void check_class_weights(const std::vector<float>& weights, uint32_t classes) {
    if (weights.empty()) return;
    if (weights.size() != classes)
        refuse("network", "class_weights", std::to_string(weights.size()) + " numbers",
               "one for each of " + std::to_string(classes) + " classes");
    for (size_t i = 0; i < weights.size(); ++i)
        if (!(weights[i] >= 0) || !std::isfinite(weights[i]))
            refuse("network", "class_weights[" + std::to_string(i) + "]", std::to_string(weights[i]),
                   "a finite number from 0 on");
    if (*std::max_element(weights.begin(), weights.end()) == 0)
        refuse("network", "class_weights", "0 for all classes", "a weight above 0");
}

/// Refuses what a Graph can be while it is being built, but nobody can train.
void check(const Graph& graph, const Wiring& wiring) {
    const std::vector<Graph::Node>& nodes = graph.nodes();
    for (size_t n = 0; n + 1 < nodes.size(); ++n)
        if (wiring.readers[n].empty())
            refuse("network", "graph", "a node \"" + nodes[n].name() + "\" that none reads",
                   "all nodes but the last to be read");
    for (size_t n = 0; n < nodes.size(); ++n)
        if (std::holds_alternative<AugmentLayer>(nodes[n].layer) && wiring.differentiated[n])
            refuse("network", "graph", '"' + nodes[n].name() + "\" behind a layer that is trained",
                   "augmentation of what the graph is given");
    const Graph::Node& logits = nodes.back();
    if (logits.shape.size() != 1)
        refuse("network", "graph", "logits \"" + logits.name() + "\" of shape " + text_of(logits.shape),
               "{classes}: flatten them");
    if (!wiring.differentiated.back()) refuse("network", "graph", "no parameters", "a layer that is trained");
}

template <class Make>
bool can_be_made(const Make& make, uint32_t rows) {
    try {
        make(rows);
        return true;
    } catch (const std::invalid_argument&) {
        return false;
    } catch (const Unsupported&) {
        return false;
    }
}

/// What `make` returns for so many rows. What it refuses, by names that only it knows, is the number of rows,
/// which is max_batch, or else something of the node.
template <class Make>
auto make_for(const std::string& node, uint32_t rows, const Make& make) {
    const auto complaint = [&](const std::exception& error) {
        return "network: " +
               (rows > 1 && can_be_made(make, 1)
                    ? "max_batch: got " + std::to_string(rows) + ", needs fewer rows for \"" + node + "\": "
                    : "\"" + node + "\": ") +
               error.what();
    };
    try {
        return make(rows);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(complaint(error));
    } catch (const Unsupported& error) {
        throw Unsupported(complaint(error));
    }
}

std::unique_ptr<const LayerPlan> plan_layer(const std::string& node, const Layer& layer, Device& device,
                                            const NetworkOptions& options, uint32_t rows) {
    return make_for(node, rows, [&](uint32_t count) { return layer.plan(device, options, count); });
}

/// A buffer of `range.count` words; of one word where there are none, because no buffer is empty.
Buffer flat_buffer(Device& device, const Range& range, const char* name) {
    const VkDeviceSize bytes = 4 * std::max<uint64_t>(range.count, 1);
    require_range(device.capabilities(), std::string("network: ") + name, bytes);
    return Buffer(device, bytes, name);
}

}  // namespace

std::vector<DeviceGraph::Node> DeviceGraph::nodes_of(const Graph& graph) {
    std::vector<Node> nodes;
    for (const Graph::Node& described : graph.nodes()) {
        const std::string& name = described.name();
        Node node{.name = name,
                  .forward_label = name + " forward",
                  .backward_label = name + " backward",
                  .elements = static_cast<uint32_t>(described.elements())};
        for (const NodeId read : described.reads) node.reads.push_back(read.index);
        const auto* const activation = std::get_if<ActivationLayer>(&described.layer);
        node.relu = activation != nullptr && activation->function == Activation::relu;
        node.sum = std::holds_alternative<AddLayer>(described.layer);
        nodes.push_back(std::move(node));
    }
    return nodes;
}

Wiring DeviceGraph::wiring() const {
    std::vector<WiredNode> wired;
    for (size_t n = 0; n < nodes_.size(); ++n)
        wired.push_back({.reads = nodes_[n].reads,
                         .trained = store_.layout.has_parameters(nodes_[n].name),
                         .view = layers_[n]->is_view(),
                         .in_place = layers_[n]->works_in_place()});
    return Wiring(wired);
}

DeviceGraph::DeviceGraph(Device& device, const Graph& graph, const NetworkOptions& options)
    : device_(device),
      options_(options),
      nodes_(nodes_of(graph)),
      layers_(layers_of(graph)),
      store_{.layout = layout_of(layers_, options)},
      wiring_(wiring()) {
    check(options);
    check(graph, wiring_);
    check_class_weights(options.class_weights, classes());
    // Whoever asks for too much learns it before memory is allocated.
    set_batch_norm(options.batch_norm);
    const VkDeviceSize scratch = plan(options.max_batch).scratch_bytes;
    const StoreLayout& layout = store_.layout;
    store_.parameters = flat_buffer(device, layout.parameters(), "parameters");
    store_.gradients = flat_buffer(device, layout.parameters(), "gradient");
    store_.working = flat_buffer(device, layout.running_words(), "working running statistics");
    store_.committed = flat_buffer(device, layout.running_words(), "running statistics");
    store_.saved = flat_buffer(device, layout.saved(), "saved statistics");
    if (!options.class_weights.empty())
        class_weights_ = Buffer(device, 4 * VkDeviceSize{classes()}, "class weights");
    grow_scratch(scratch);
    allocate_outputs();
}

void DeviceGraph::allocate_outputs() {
    const auto bytes_of = [&](size_t node) { return 4 * VkDeviceSize{options_.max_batch} * elements(node); };
    VkDeviceSize spare = 0;
    for (size_t n = 1; n < nodes_.size(); ++n) {
        Node& node = nodes_[n];
        if (wiring_.output_home[n] == n) node.output = Buffer(device_, bytes_of(n), node.name + " output");
        if (wiring_.differentiated[n] && wiring_.gradient_home[n] == n)
            node.gradient = Buffer(device_, bytes_of(n), node.name + " gradient");
        for (size_t i = 0; i < node.reads.size(); ++i)
            if (wiring_.routes[n][i] == GradientRoute::added && !layers_[n]->works_in_place())
                spare = std::max(spare, bytes_of(node.reads[i]));
    }
    if (spare > 0) spare_ = Buffer(device_, spare, "spare gradient");
}

DeviceGraph::Memory DeviceGraph::memory() const {
    Memory memory{.parameters = store_.parameters.bytes(),
                  .gradient = store_.gradients.bytes(),
                  .running = store_.working.bytes() + store_.committed.bytes(),
                  .saved = store_.saved.bytes(),
                  .outputs = 0,
                  .output_gradients = spare_.bytes(),
                  .scratch = store_.scratch.bytes()};
    for (const Node& node : nodes_) {
        memory.outputs += node.output.bytes();
        memory.output_gradients += node.gradient.bytes();
    }
    return memory;
}

void DeviceGraph::initialize(Stream& stream) {
    const StoreLayout& layout = store_.layout;
    if (!options_.class_weights.empty()) stream.upload(class_weights_, options_.class_weights);
    stream.upload(store_.parameters, initial_parameters(layout, options_.seed, options_.init_scale));
    fill(stream.record(), store_.gradients, 0);
    fill(stream.record(), store_.saved, 0);
    if (layout.running_words().count == 0) return;
    const std::vector<uint32_t> running = initial_running(layout);
    stream.upload(store_.committed, running);
    stream.upload(store_.working, running);
}

void DeviceGraph::plan_for(uint32_t rows, Stream& stream) {
    const VkDeviceSize needed = plan(std::max(rows, 1u)).scratch_bytes;
    if (needed <= store_.scratch.bytes()) return;
    stream.wait(stream.submit());
    grow_scratch(needed);
}

const DeviceGraph::RowsPlan& DeviceGraph::plan(uint32_t rows) {
    const auto found = plans_.find(rows);
    if (found != plans_.end()) return found->second;
    const auto make_loss = [&](uint32_t count) {
        return SoftmaxCrossEntropy(device_, {.rows = count, .classes = classes()});
    };
    RowsPlan plan{.layers = {}, .loss = make_for(nodes_.back().name, rows, make_loss), .scratch_bytes = 0};
    for (size_t n = 0; n < layers_.size(); ++n) {
        plan.layers.push_back(plan_layer(nodes_[n].name, *layers_[n], device_, options_, rows));
        plan.scratch_bytes = std::max(plan.scratch_bytes, plan.layers.back()->scratch_bytes());
    }
    return plans_.emplace(rows, std::move(plan)).first->second;
}

void DeviceGraph::grow_scratch(VkDeviceSize bytes) {
    store_.scratch = flat_buffer(device_, {0, ceil_div<uint64_t>(bytes, 4)}, "scratch");
}

void DeviceGraph::set_batch_norm(const BatchNormConvention& convention) {
    // Checked also where no layer has a norm.
    (void)BatchNorm(device_, {.shape = {2, 1}, .convention = convention});
    NetworkOptions options = options_;
    options.batch_norm = convention;
    for (size_t n = 0; n < layers_.size(); ++n)
        (void)plan_layer(nodes_[n].name, *layers_[n], device_, options, 2);
    options_ = std::move(options);
    plans_.clear();
}

std::string DeviceGraph::explain(size_t node, uint32_t rows) const {
    return layers_[node]->plan(device_, options_, rows)->explain();
}

std::optional<size_t> DeviceGraph::find(const std::string& name) const {
    const auto node = std::find_if(nodes_.begin(), nodes_.end(),
                                   [&](const Node& candidate) { return candidate.name == name; });
    if (node == nodes_.end()) return std::nullopt;
    return static_cast<size_t>(node - nodes_.begin());
}

BufferView DeviceGraph::output(size_t node, uint32_t rows, const BufferView& x) const {
    const size_t home = wiring_.output_home[node];
    return home == 0 ? x : nodes_[home].output.view(0, 4 * VkDeviceSize{rows} * elements(node));
}

BufferView DeviceGraph::gradient(size_t node, uint32_t rows) const {
    return nodes_[wiring_.gradient_home[node]].gradient.view(0, 4 * VkDeviceSize{rows} * elements(node));
}

std::vector<BufferView> DeviceGraph::inputs(size_t node, uint32_t rows, const BufferView& x) const {
    std::vector<BufferView> inputs;
    for (const size_t read : nodes_[node].reads) inputs.push_back(output(read, rows, x));
    return inputs;
}

size_t DeviceGraph::only_reader(size_t node, const Propagation& how) const {
    const std::vector<size_t>& readers = wiring_.readers[node];
    return readers.size() == 1 && (how.watched.empty() || !how.watched[node]) ? readers.front() : 0;
}

DeviceGraph::Fusion DeviceGraph::fusion_of(const RowsPlan& plan, size_t norm, const Propagation& how) const {
    const size_t next = only_reader(norm, how);
    if (!how.fuses || next == 0 || !plan.layers[norm]->fuses(at(norm, how))) return {.node = norm};
    if (nodes_[next].relu) return {.node = norm, .relu = next};
    const size_t relu = nodes_[next].sum ? only_reader(next, how) : 0;
    if (relu == 0 || !nodes_[relu].relu) return {.node = norm};
    const std::vector<size_t>& reads = nodes_[next].reads;
    const size_t other = reads[0] == norm ? 1 : 0;
    // Of two norms the first does the sum. A kernel does not add to a gradient that is there.
    const bool first = other == 1 || !plan.layers[reads[other]]->fuses(at(reads[other], how));
    const bool adds = wiring_.routes[next][other] == GradientRoute::added ||
                      wiring_.routes[norm].front() == GradientRoute::added;
    if (!first || adds) return {.node = norm};
    return {.node = norm, .relu = relu, .sum = next, .residual = reads[other]};
}

std::vector<DeviceGraph::Fusion> DeviceGraph::turns(const RowsPlan& plan, const Propagation& how) const {
    std::vector<Fusion> turns(nodes_.size());
    for (size_t n = 1; n < nodes_.size(); ++n) {
        if (turns[n].node > 0) continue;  // a norm takes its place
        const Fusion fusion = fusion_of(plan, n, how);
        turns[fusion.last()] = fusion;
    }
    for (const Fusion& turn : std::vector<Fusion>(turns))
        if (turn.sum > 0) turns[turn.sum] = {};
    return turns;
}

Propagation DeviceGraph::at(size_t node, const Propagation& how) {
    Propagation here = how;
    if (!how.frozen_parameters.empty() && how.frozen_parameters[node])
        here.train_affine = here.train_weights = false;
    if (!how.frozen_statistics.empty() && how.frozen_statistics[node]) {
        here.statistics = Statistics::running;
        here.update_running = false;
    }
    return here;
}

std::vector<bool> DeviceGraph::wanted_gradients(const Propagation& how) const {
    if (how.frozen_parameters.empty()) return wiring_.differentiated;
    std::vector<bool> wanted(nodes_.size());
    for (size_t n = 1; n < nodes_.size(); ++n) {
        const std::vector<size_t>& reads = nodes_[n].reads;
        wanted[n] = (store_.layout.has_parameters(nodes_[n].name) && !how.frozen_parameters[n]) ||
                    (wiring_.differentiated[n] && how.watched[n]) ||
                    std::any_of(reads.begin(), reads.end(), [&](size_t read) { return wanted[read]; });
    }
    return wanted;
}

void DeviceGraph::forward_no_rows(Stream& stream, const Propagation& how) const {
    for (size_t n = 1; n < nodes_.size(); ++n) {
        const Propagation here = at(n, how);
        const LayerPlan& layer = *planned(0).layers[n];
        const ForwardViews views{.store = store_, .how = here, .x = {}};
        const BufferView moments = layer.measure(stream.record(), views);
        if (!moments) continue;
        how.share({nodes_[n].forward_label, Exchanged::moments, moments, options_.statistics_group});
        const Label label(stream.record(), nodes_[n].forward_label);
        layer.forward(stream.record(), views);
    }
}

void DeviceGraph::backward_no_rows(Stream& stream, const Propagation& how) const {
    fill(stream.record(), store_.gradients, 0);
    const std::vector<bool> wanted = wanted_gradients(how);
    for (size_t n = nodes_.size() - 1; n > 0; --n) {
        if (!wanted[n]) continue;
        const Propagation here = at(n, how);
        const BufferView sums =
            planned(0).layers[n]->sum(stream.record(), {.store = store_, .how = here, .x = {}, .dx = {}});
        if (sums) how.share({nodes_[n].backward_label, Exchanged::sums, sums, options_.statistics_group});
    }
}

void DeviceGraph::forward(Stream& stream, uint32_t rows, const BufferView& x, const Propagation& how) const {
    if (rows == 0) return forward_no_rows(stream, how);
    const RowsPlan& plan = plans_.at(rows);
    for (const Fusion& turn : turns(plan, how)) {
        if (turn.node == 0) continue;
        const Node& node = nodes_[turn.node];
        const LayerPlan& layer = *plan.layers[turn.node];
        const std::vector<BufferView> inputs = this->inputs(turn.node, rows, x);
        const Propagation here = at(turn.node, how);
        const ForwardViews views{.store = store_,
                                 .how = here,
                                 .x = inputs,
                                 .y = output(turn.last(), rows, x),
                                 .first_non_finite = first_non_finite_of(
                                     how.divergence, static_cast<uint32_t>(node.reads.front())),
                                 .residual = turn.sum > 0 ? output(turn.residual, rows, x) : BufferView{},
                                 .relu = turn.relu > 0};
        if (how.share) {
            const BufferView moments = layer.measure(stream.record(), views);
            if (moments)
                how.share({node.forward_label, Exchanged::moments, moments, options_.statistics_group});
        }
        const Label label(stream.record(), node.forward_label);
        layer.forward(stream.record(), views);
    }
}

void DeviceGraph::pool_statistics(Recorder& recorder, uint32_t rows, const BufferView& x,
                                  const Propagation& how, bool first) const {
    for (size_t n = 1; n < nodes_.size(); ++n) {
        if (at(n, how).statistics == Statistics::running) continue;
        std::vector<BufferView> inputs;
        if (rows > 0) inputs = this->inputs(n, rows, x);
        planned(rows).layers[n]->pool(recorder, {.store = store_, .how = how, .x = inputs}, first);
    }
}

void DeviceGraph::normalize(Recorder& recorder, size_t norm, uint32_t rows, const BufferView& x,
                            const Propagation& how, const BufferView& y) const {
    const std::vector<BufferView> inputs = this->inputs(norm, rows, x);
    planned(rows).layers[norm]->normalize(recorder, {.store = store_, .how = how, .x = inputs, .y = y});
}

std::vector<std::pair<std::string, BufferView>> DeviceGraph::pooled(uint32_t rows,
                                                                    const Propagation& how) const {
    std::vector<std::pair<std::string, BufferView>> pooled;
    for (size_t n = 1; n < nodes_.size(); ++n) {
        if (at(n, how).statistics == Statistics::running) continue;
        const BufferView moments = planned(rows).layers[n]->pooled(store_);
        if (moments) pooled.emplace_back(nodes_[n].name, moments);
    }
    return pooled;
}

void DeviceGraph::take_pooled_statistics(Recorder& recorder, uint32_t rows, const Propagation& how) const {
    for (size_t n = 1; n < nodes_.size(); ++n)
        if (at(n, how).statistics == Statistics::batch)
            planned(rows).layers[n]->take_pooled(recorder, store_);
}

void DeviceGraph::backward(Stream& stream, uint32_t rows, const Backward& arguments,
                           const Propagation& how) const {
    if (rows == 0) return backward_no_rows(stream, how);
    const RowsPlan& plan = plans_.at(rows);
    const size_t last = nodes_.size() - 1;
    {
        const Label label(stream.record(), "loss");
        plan.loss.forward_backward(stream.record(), {.logits = logits(rows),
                                                     .labels = arguments.labels,
                                                     .losses = arguments.losses,
                                                     .dlogits = gradient(last, rows),
                                                     .class_weights = class_weights(),
                                                     .label_smoothing = options_.label_smoothing,
                                                     .weight_sum = arguments.weight_sum,
                                                     .first_non_finite = first_non_finite_of(
                                                         how.divergence, static_cast<uint32_t>(last))});
    }
    const std::vector<bool> wanted = wanted_gradients(how);
    const std::vector<Fusion> turns = this->turns(plan, how);
    for (size_t n = last; n > 0; --n) {
        if (!wanted[n]) continue;
        if (arguments.gradient_is_there) arguments.gradient_is_there(stream.record(), n);
        if (turns[n].node > 0) backward(stream, rows, turns[n], arguments.x, how, wanted);
    }
}

void DeviceGraph::backward(Stream& stream, uint32_t rows, const Fusion& turn, const BufferView& x,
                           const Propagation& how, const std::vector<bool>& wanted) const {
    const LayerPlan& layer = *plans_.at(rows).layers[turn.node];
    const BufferView dy = gradient(turn.last(), rows);
    const std::vector<BufferView> inputs = this->inputs(turn.node, rows, x);
    const auto gradient_of_input = [&](size_t n, size_t i) -> BufferView {
        const size_t read = nodes_[n].reads[i];
        const GradientRoute route = wiring_.routes[n][i];
        if (route == GradientRoute::none || !wanted[read]) return {};
        if (route != GradientRoute::added) return gradient(read, rows);
        return layers_[n]->works_in_place() ? dy : spare_.view(0, 4 * VkDeviceSize{rows} * elements(read));
    };
    const Node& node = nodes_[turn.node];
    std::vector<BufferView> dx;
    for (size_t i = 0; i < node.reads.size(); ++i) dx.push_back(gradient_of_input(turn.node, i));
    BufferView dresidual;
    if (turn.sum > 0)
        dresidual = gradient_of_input(turn.sum, nodes_[turn.sum].reads[0] == turn.residual ? 0 : 1);
    const Propagation here = at(turn.node, how);
    const BackwardViews views{.store = store_,
                              .how = here,
                              .x = inputs,
                              .y = output(turn.last(), rows, x),
                              .dy = dy,
                              .dx = dx,
                              .relu = turn.relu > 0,
                              .residual = turn.sum > 0,
                              .dresidual = dresidual};
    if (how.share) {
        const BufferView sums = layer.sum(stream.record(), views);
        if (sums) how.share({node.backward_label, Exchanged::sums, sums, options_.statistics_group});
    }
    const Label label(stream.record(), node.backward_label);
    layer.backward(stream.record(), views);
    for (size_t i = 0; i < node.reads.size(); ++i) {
        if (wiring_.routes[turn.node][i] != GradientRoute::added || !dx[i]) continue;
        const BufferView sum = gradient(node.reads[i], rows);
        add(stream.record(), sum, dx[i], sum);
    }
}

}  // namespace vknorm::detail
