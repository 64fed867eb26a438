// What a right click on a plot offers, or Shift + Enter: to save it.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "app/ui/theme.hpp"

namespace lab {

enum class PlotFormat { png, svg, csv };

struct PlotFormatName {
    PlotFormat format;
    const char *name, *extension;
};
inline constexpr std::array<PlotFormatName, 3> plot_formats = {
    {{PlotFormat::png, "PNG", ".png"}, {PlotFormat::svg, "SVG", ".svg"}, {PlotFormat::csv, "CSV", ".csv"}}};

/// A plot to be saved.
struct PlotRequest {
    std::string id;  ///< as DrawnPlot
    const PlotFormatName* format;
};

class PlotMenu {
  public:
    /// After all plots have been drawn, into their window. Returns what was chosen.
    std::optional<PlotRequest> draw(const Look& look);

  private:
    std::string id_, title_;  // of the plot that it is about
};

}  // namespace lab
