#include "app/lab/controls.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "app/experiment/words.hpp"
#include "app/lab/norm_choice.hpp"
#include "app/ui/scale.hpp"

namespace lab {

namespace {

template <class Enum>
bool choose(const Look& look, const char* id, float width, Enum& value, std::span<const Enum> all) {
    std::vector<const char*> names;
    int selected = 0;
    for (size_t i = 0; i < all.size(); ++i) {
        names.push_back(name(all[i]));
        if (all[i] == value) selected = static_cast<int>(i);
    }
    if (!choice(look, id, width, name(value), names, selected)) return false;
    value = all[static_cast<size_t>(selected)];
    return true;
}

float full_width() {
    return ImGui::GetContentRegionAvail().x;
}

void draw_data(const Look& look, Settings& s) {
    if (!section(look, "Data", 0)) return;
    std::vector<Data> all = {Data::spiral,    Data::circles, Data::moons, Data::xor_quadrants,
                             Data::gaussians, Data::rings,   Data::digits};
    if (!s.data_file.empty()) all.push_back(Data::file);
    choose<Data>(look, "##data", full_width(), s.data, all);
    if (is_planar(s.data)) slider(look, "Noise", s.noise, 0, limits::max_noise);
    slider(look, "Batch size", s.batch, 1, limits::max_batch, std::to_string(s.batch));
    hint(look,
         "Examples in a training step. Statistics of small batches are noisy; a batch of one has none.");
    auto seed = static_cast<uint32_t>(std::min<uint64_t>(s.seed, UINT32_MAX));
    if (slider(look, "Seed", seed, 1, std::max(99u, seed), std::to_string(s.seed))) s.seed = seed;
}

void draw_network(const Look& look, Settings& s) {
    if (!section(look, "Network", 0)) return;
    auto layers = static_cast<uint32_t>(s.hidden.size());
    if (slider(look, "Hidden layers", layers, 1, limits::max_layers, std::to_string(layers)))
        s.hidden.resize(layers, s.hidden.back());
    const bool even =
        std::all_of(s.hidden.begin(), s.hidden.end(), [&](uint32_t n) { return n == s.hidden[0]; });
    std::string shown = std::to_string(s.hidden[0]);
    for (size_t i = 1; i < s.hidden.size() && !even; ++i) shown += "-" + std::to_string(s.hidden[i]);
    uint32_t units = s.hidden[0];
    if (slider(look, "Units in each", units, 1, std::max(128u, units), shown))
        std::fill(s.hidden.begin(), s.hidden.end(), units);
}

void draw_twin(const Look& look, const char* title, size_t index, Settings& s) {
    if (!section(look, title, look.theme.twins[index])) return;
    TwinSettings& twin = s.twins[index];
    static constexpr std::array activations = {vknorm::Activation::relu, vknorm::Activation::tanh,
                                               vknorm::Activation::sigmoid, vknorm::Activation::identity};
    ImGui::PushID(title);
    const float gap = look.px(8), half = (full_width() - gap) / 2;
    choose_norm(look, "##norm", half + look.px(17), twin);
    ImGui::SameLine(0, gap);
    choose<vknorm::Activation>(look, "##activation", half - look.px(17), twin.activation, activations);
    hint(look, "Activation of every hidden layer");
    if (has_norm(s, index, vknorm::Norm::group)) {
        const uint32_t most = most_groups(s, index);
        if (slider(look, "Groups", twin.groups, 1, most, std::to_string(twin.groups))) keep_norms_valid(s);
        hint(look,
             "Parts of a layer's units that GroupNorm normalizes apart; one is LayerNorm. A divisor of the "
             "units.");
    }
    if (has_norm(s, index, vknorm::Norm::ghost)) {
        slider(look, "Ghost size", twin.ghost_size, limits::min_ghost, limits::max_ghost,
               std::to_string(twin.ghost_size));
        hint(look,
             "Examples of the batch that GhostNorm normalizes together; the last ghost has what is left.");
    }
    ImGui::PopID();
}

void draw_optimizer(const Look& look, Settings& s) {
    if (!section(look, "Optimiser", 0)) return;
    static constexpr std::array<const char*, 2> kinds = {"SGD", "Adam"};
    int kind = s.optimizer == OptimizerKind::adam ? 1 : 0;
    if (segments(look, "kind", kinds, kind))
        s.optimizer = kind == 1 ? OptimizerKind::adam : OptimizerKind::sgd;
    slider(look, "Learning rate", s.learning_rate, limits::min_learning_rate, limits::max_learning_rate,
           true);
    if (s.optimizer == OptimizerKind::sgd) slider(look, "Momentum", s.momentum, 0, 0.99f);
    slider(look, "Weight decay", s.weight_decay, 0, 0.1f, true);
}

void draw_normalization(const Look& look, Settings& s) {
    if (!section(look, "Normalization", 0)) return;
    slider(look, "Momentum of running statistics", s.norm_momentum, 0, 1);
    hint(look,
         "Weight of the newest batch in the running statistics, as PyTorch counts it. Keras and ONNX count "
         "the "
         "weight of the old value.");
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const std::string both = "PyTorch " + plot::short_number(s.norm_momentum) + "  \xC2\xB7  Keras, ONNX " +
                             plot::short_number(1 - s.norm_momentum);
    plot::text(*ImGui::GetWindowDrawList(), look.fonts.small, {at.x, at.y - look.px(3)}, look.theme.faint,
               both.c_str());
    ImGui::SetCursorScreenPos({at.x, at.y + look.px(19)});

    static constexpr std::array<const char*, 2> modes = {"Batch (train)", "Running (eval)"};
    int mode = s.statistics == vknorm::Statistics::running ? 1 : 0;
    if (segments(look, "statistics", modes, mode))
        s.statistics = mode == 1 ? vknorm::Statistics::running : vknorm::Statistics::batch;
    check_box(look, "Update running statistics", s.update_running);
    check_box(look, "Train gamma and beta", s.train_affine);
}

void draw_inspect(const Look& look, Settings& s) {
    if (!section(look, "Inspect", 0)) return;
    const auto layers = static_cast<uint32_t>(s.hidden.size());
    uint32_t layer = s.inspected_layer + 1;
    if (slider(look, "Layer", layer, 1, layers, "hidden " + std::to_string(layer)))
        s.inspected_layer = layer - 1;
    const uint32_t units = s.hidden[s.inspected_layer];
    slider(look, "Unit", s.inspected_unit, 0, units - 1, std::to_string(s.inspected_unit));
    const std::string steps = s.steps_per_frame == 0 ? "all it can" : std::to_string(s.steps_per_frame);
    slider(look, "Steps per frame", s.steps_per_frame, 0, limits::max_steps_per_frame, steps);
    hint(look,
         "Training steps between two pictures, 30 pictures a second. At the left end: as many as the device "
         "does.");
}

}  // namespace

void keep_inspected_valid(Settings& s) {
    s.inspected_layer = std::min(s.inspected_layer, static_cast<uint32_t>(s.hidden.size()) - 1);
    s.inspected_unit = std::min(s.inspected_unit, s.hidden[s.inspected_layer] - 1);
}

void draw_controls(const Look& look, const plot::Rect& frame, Settings& settings) {
    plot::card(look, *ImGui::GetWindowDrawList(), frame, look.px(8), look.theme.panel, look.theme.border, 1);
    ImGui::SetCursorScreenPos({frame.min.x + 1, frame.min.y + look.px(6)});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {look.px(13), look.px(2)});
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {look.px(8), look.px(5)});
    ImGui::BeginChild("controls", {frame.width() - 2, frame.height() - look.px(12)}, false,
                      ImGuiWindowFlags_AlwaysUseWindowPadding);
    draw_data(look, settings);
    draw_network(look, settings);
    draw_twin(look, "Twin A", 0, settings);
    draw_twin(look, "Twin B", 1, settings);
    draw_optimizer(look, settings);
    draw_normalization(look, settings);
    keep_inspected_valid(settings);
    draw_inspect(look, settings);
    ImGui::EndChild();
    ImGui::PopStyleVar(2);
    keep_inspected_valid(settings);
}

}  // namespace lab
