#include "app/lab/palette_entries.hpp"

#include <cctype>

#include "app/lab/explanations.hpp"

namespace lab {

namespace {

std::string capitalized(std::string words) {
    if (!words.empty()) words[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(words[0])));
    return words;
}

void add_setting(std::vector<PaletteEntry>& entries, const PaletteSources& from, const Field& field,
                 size_t twin) {
    if (is_concealed(field, from.settings, twin)) return;
    if (field.applies && !field.applies(from.settings, twin)) return;
    const std::string name =
        (is_of_twin(field) ? std::string("Twin ") + twin_letter(twin) + ", " : "") + field.label;
    const std::string now = text_of(field, from.settings, twin);
    const auto take = [&settings = from.settings, &field, twin](const std::string& text) {
        read(field, settings, twin, text);
    };
    const std::vector<NamedValue> values = values_of(field);
    for (const NamedValue& value : values)
        entries.push_back({.kind = "set",
                           .name = name + ": " + value.name,
                           .detail = value.word == now ? "now" : "",
                           .act = [take, word = value.word](const std::string&) { take(word); }});
    if (values.empty())
        entries.push_back({.kind = "set", .name = name, .detail = now, .act = take, .form = form_of(field)});
}

// "distribution A" is one of several of a kind.
std::string panel_name(const Panel& panel) {
    const size_t space = panel.id.find(' ');
    return panel.explanation.name + (space == std::string::npos ? "" : panel.id.substr(space));
}

}  // namespace

std::vector<PaletteEntry> palette_entries(const PaletteSources& from) {
    std::vector<PaletteEntry> entries;
    for (const Shortcut& shortcut : from.shortcuts)
        if (!shortcut.meaning.empty())  // else it is another key of the one before
            entries.push_back({.kind = "do",
                               .name = capitalized(shortcut.meaning),
                               .detail = shortcut.keys,
                               .act = [act = shortcut.act](const std::string&) { act(); }});
    for (const Field& field : fields)
        for (size_t twin = 0; twin < (is_of_twin(field) ? from.settings.twins.size() : 1); ++twin)
            add_setting(entries, from, field, twin);
    const auto is_there = [&](const char* kind) { return from.settings.concealed.count(kind) == 0; };
    for (const Preset& preset : presets())
        if (is_there(concealable::presets))
            entries.push_back(
                {.kind = "preset", .name = preset.name, .detail = "", .act = [&](const std::string&) {
                     from.take_preset(preset);
                 }});
    for (const Experiment& experiment : experiments())
        if (is_there(concealable::experiments))
            entries.push_back({.kind = "experiment",
                               .name = experiment.title,
                               .detail = "",
                               .act = [&](const std::string&) { from.show_experiment(experiment); }});
    for (const Panel& panel : from.panels)
        entries.push_back(
            {.kind = "plot", .name = panel_name(panel), .detail = "full", .act = [&](const std::string&) {
                 from.show_panel(panel.id);
             }});
    for (const DrawnPlot& plot : from.plots)
        for (const PlotFormatName& format : plot_formats)
            entries.push_back({.kind = "plot",
                               .name = plot.title + ": save as " + format.name,
                               .detail = plot.id,
                               .act = [&, id = plot.id](const std::string&) {
                                   from.save_plot({id, &format});
                               }});
    for (const Explanation& row : explanations)
        entries.push_back({.kind = "word", .name = row.name, .detail = "", .act = [&](const std::string&) {
                               from.explain(row.name);
                           }});
    return entries;
}

}  // namespace lab
