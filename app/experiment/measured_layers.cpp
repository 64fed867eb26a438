#include "app/experiment/measured_layers.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "app/experiment/picture_model.hpp"

namespace lab {

namespace {

using Node = vknorm::Graph::Node;

/// The first reader of a node that is such a layer.
template <class Layer>
std::optional<uint32_t> reader(const std::vector<Node>& nodes, uint32_t node) {
    for (uint32_t n = node + 1; n < nodes.size(); ++n)
        for (const vknorm::NodeId read : nodes[n].reads)
            if (read.index == node && std::holds_alternative<Layer>(nodes[n].layer)) return n;
    return std::nullopt;
}

/// What becomes of a layer in a residual block.
enum class Branch { none, ended, shortcut };

Branch branch_of(const std::vector<Node>& nodes, uint32_t normalized) {
    const std::optional<uint32_t> sum = reader<vknorm::AddLayer>(nodes, normalized);
    if (!sum) return Branch::none;
    const std::vector<vknorm::NodeId>& reads = nodes[*sum].reads;
    if (reads[0].index == normalized) return Branch::ended;
    // A shortcut that is a layer, rather than what came before the block.
    const bool of_block = std::holds_alternative<vknorm::Conv2dLayer>(nodes[normalized].layer) ||
                          std::holds_alternative<vknorm::NormLayer>(nodes[normalized].layer);
    return of_block && normalized + 1 == *sum ? Branch::shortcut : Branch::none;
}

std::vector<MeasuredLayer> layers_of_model(Model model, bool normed) {
    Settings settings;
    settings.model = model;
    if (!normed) settings.twins = {{vknorm::Norm::none}};
    vknorm::Dataset pictures;
    pictures.image_channels = 3;
    pictures.image_width = pictures.image_height = 32;
    pictures.classes = 10;
    return measured_layers(picture_model(settings, 0, pictures));
}

/// Of models for pictures; their norms are of some kind, or of none.
const std::vector<MeasuredLayer>& known_layers(Model model, const TwinSettings& twin) {
    static const auto known = [] {
        std::map<std::pair<Model, bool>, std::vector<MeasuredLayer>> models;
        for (const auto& choice : model_choices)
            for (const bool normed : {false, true})
                if (choice.value != Model::mlp)
                    models[{choice.value, normed}] = layers_of_model(choice.value, normed);
        return models;
    }();
    return known.at({model, twin.norm != vknorm::Norm::none});
}

}  // namespace

std::vector<MeasuredLayer> measured_layers(const vknorm::Graph& graph) {
    const std::vector<Node>& nodes = graph.nodes();
    std::vector<MeasuredLayer> all, few;
    bool perceptron = true;
    for (uint32_t n = 0; n + 1 < nodes.size(); ++n) {
        const auto* const convolution = std::get_if<vknorm::Conv2dLayer>(&nodes[n].layer);
        if (!convolution && !std::holds_alternative<vknorm::LinearLayer>(nodes[n].layer)) continue;
        perceptron = perceptron && !convolution;
        std::optional<uint32_t> norm = reader<vknorm::NormLayer>(nodes, n);
        const Branch branch = branch_of(nodes, norm.value_or(n));
        if (branch == Branch::shortcut) continue;
        const auto activation = reader<vknorm::ActivationLayer>(nodes, norm.value_or(n));
        const bool after = !norm && activation && reader<vknorm::NormLayer>(nodes, *activation);
        if (after) norm = reader<vknorm::NormLayer>(nodes, *activation);
        const auto sum = reader<vknorm::AddLayer>(nodes, norm.value_or(n));
        const auto behind = sum && !activation ? reader<vknorm::ActivationLayer>(nodes, *sum) : activation;
        all.push_back(
            {.name = nodes[n].name(),
             .shape = nodes[n].shape,
             .kernel = convolution ? convolution->kernel : 0,
             .linear = nodes[n].name(),
             .norm = norm ? nodes[*norm].name() : "",
             .activation = behind ? nodes[*behind].name() : "",
             .kind = norm ? std::get<vknorm::NormLayer>(nodes[*norm].layer).kind : vknorm::Norm::none,
             .order = after ? vknorm::NormOrder::after_activation : vknorm::NormOrder::before_activation,
             .rectified =
                 activation && std::get<vknorm::ActivationLayer>(nodes[*activation].layer).function ==
                                   vknorm::Activation::relu});
        if (all.size() > 1 && branch != Branch::ended) continue;
        few.push_back(all.back());
        std::string& name = few.back().name;  // the block's, which is what the layer stands for
        name.erase(std::min(name.rfind('.'), name.size()));
    }
    std::vector<MeasuredLayer>& layers = all.size() > limits::max_layers ? few : all;
    for (size_t i = 0; i < layers.size() && perceptron; ++i)
        layers[i].name = "hidden " + std::to_string(i + 1);
    return layers;
}

std::vector<MeasuredLayer> measured_layers(const Settings& settings, size_t twin) {
    const TwinSettings& its = settings.twins[twin];
    if (!is_perceptron(settings)) {
        std::vector<MeasuredLayer> layers = known_layers(settings.model, its);
        for (MeasuredLayer& layer : layers)
            if (!layer.norm.empty()) layer.kind = its.norm;
        return layers;
    }
    std::vector<MeasuredLayer> layers;
    for (uint32_t i = 0; i < settings.hidden.size(); ++i) {
        const std::string node = std::to_string(i);
        layers.push_back({.name = "hidden " + std::to_string(i + 1),
                          .shape = {settings.hidden[i]},
                          .linear = node + ".linear",
                          .norm = its.norm_of(i) == vknorm::Norm::none ? "" : node + ".norm",
                          .activation = node + ".activation",
                          .kind = its.norm_of(i),
                          .order = its.order,
                          .rectified = its.activation == vknorm::Activation::relu});
    }
    return layers;
}

vknorm::Norm norm_of(const Settings& settings, size_t twin, uint32_t layer) {
    const TwinSettings& its = settings.twins[twin];
    if (is_perceptron(settings)) return its.norm_of(layer);
    const std::vector<MeasuredLayer>& layers = known_layers(settings.model, its);
    return layer < layers.size() && !layers[layer].norm.empty() ? its.norm : vknorm::Norm::none;
}

void keep_inspected_valid(Settings& settings) {
    const std::vector<MeasuredLayer> layers = measured_layers(settings, 0);
    settings.inspected_layer = std::min(settings.inspected_layer, static_cast<uint32_t>(layers.size()) - 1);
    settings.inspected_unit = std::min(settings.inspected_unit, layers[settings.inspected_layer].width() - 1);
}

}  // namespace lab
