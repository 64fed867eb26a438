// What the palette offers: the tables that keys, controls, presets, experiments, plots and the glossary are
// made of, too.
#pragma once

#include "app/experiment/experiments.hpp"
#include "app/experiment/presets.hpp"
#include "app/lab/palette.hpp"
#include "app/lab/panel.hpp"
#include "app/lab/plot_menu.hpp"
#include "app/lab/shortcut.hpp"
#include "app/ui/drawn_plots.hpp"

namespace lab {

struct PaletteSources {
    std::span<const Shortcut> shortcuts;
    Settings& settings;  ///< changed by what is chosen
    std::span<const Panel> panels;
    std::function<void(const Preset& preset)> take_preset;
    std::function<void(const Experiment& experiment)> show_experiment;
    std::function<void(const std::string& panel)> show_panel;
    std::function<void(const char* name)> explain;
    std::span<const DrawnPlot> plots{};
    std::function<void(const PlotRequest& plot)> save_plot{};
};

/// Acts refer to `sources`.
std::vector<PaletteEntry> palette_entries(const PaletteSources& sources);

}  // namespace lab
