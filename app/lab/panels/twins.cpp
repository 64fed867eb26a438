#include "app/lab/panels/twins.hpp"

#include <algorithm>

#include "app/experiment/measured_layers.hpp"
#include "app/experiment/words.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

std::string letter(size_t twin) {
    return {twin_letter(twin)};
}

std::string twin_name(const Settings& settings, size_t twin) {
    const TwinSettings& its = settings.twins[twin];
    if (!its.exceptions.empty()) return letter(twin) + " mixed norms";
    std::string text = letter(twin) + " " + (its.norm == vknorm::Norm::none ? "no norm" : name(its.norm));
    if (its.norm != vknorm::Norm::none && is_perceptron(settings) &&
        its.order == vknorm::NormOrder::after_activation)
        text += std::string(" after ") + name(its.activation);
    if (its.devices > 1) {
        const bool alone =
            depends_on_batch(settings, twin) && its.device_statistics == DeviceStatistics::alone;
        text += ", " + std::to_string(its.devices) + (alone ? " alone" : " devices");
    }
    return text;
}

std::string inspected_name(const Settings& settings) {
    Settings valid = settings;
    keep_inspected_valid(valid);
    return measured_layers(valid, 0)[valid.inspected_layer].name;
}

std::string unit_name(const Settings& settings) {
    Settings valid = settings;
    keep_inspected_valid(valid);
    const MeasuredLayer layer = measured_layers(valid, 0)[valid.inspected_layer];
    return (layer.gives_maps() ? "Channel " : "Unit ") + std::to_string(valid.inspected_unit) + " of " +
           layer.name;
}

plot::LegendEntry twin_entry(const Theme& theme, const Snapshot& run, size_t twin) {
    return {.label = twin_name(run.settings, twin),
            .color = theme.twins[twin],
            .brief = letter(twin),
            .ended = run.twins[twin].divergence.has_value()};
}

std::vector<plot::LegendEntry> twin_legend(const Theme& theme, const Snapshot& run) {
    std::vector<plot::LegendEntry> legend;
    for (size_t twin = 0; twin < run.twins.size(); ++twin) legend.push_back(twin_entry(theme, run, twin));
    return legend;
}

bool choose_twin(const Look& look, size_t twins, size_t& chosen) {
    std::vector<std::string> names;
    for (size_t twin = 0; twin < twins; ++twin) names.push_back((twins < 3 ? "Twin " : "") + letter(twin));
    std::vector<const char*> labels;
    for (const std::string& label : names) labels.push_back(label.c_str());
    int selected = static_cast<int>(std::min(chosen, twins - 1));
    if (!segments(look, "twin", labels, selected)) return false;
    chosen = static_cast<size_t>(selected);
    return true;
}

}  // namespace lab
