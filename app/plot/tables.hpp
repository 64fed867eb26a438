// What plots show as tables, one for each kind of plot.
#pragma once

#include <span>

#include "app/plot/boundary.hpp"
#include "app/plot/heat_map.hpp"
#include "app/plot/pictures.hpp"
#include "app/plot/ridgeline.hpp"
#include "app/plot/scatter.hpp"
#include "app/ui/drawn_plots.hpp"

namespace lab::plot {

/// The shortest text that reads back as the number; empty where there is none.
std::string cell_text(float value);

/// A row for each place in sight on that axis at which a series that is shown has something.
Table table_of(const PlotOptions& options, std::span<const Series> series, const PanelState& panel,
               const SharedX& axis);
/// A row for each cell within `steps`.
Table table_of(const HeatMapOptions& options, const HeatMap& map, const Range& steps);
/// A row for each bin, and for what lies beyond them.
Table table_of(std::span<const Ridge> ridges);
Table table_of(const ScatterOptions& options, std::span<const Point> points);
/// The points, if any, then the twins' grids.
Table table_of(std::span<const BoundaryView* const> twins, const vknorm::Dataset* points);
/// What the twins take the first `count` pictures for.
Table table_of(const vknorm::Dataset& data, std::span<const std::span<const uint32_t>> predicted,
               size_t count);
/// The values of the first `count` maps of each twin that is shown.
Table table_of(std::span<const MapsView> twins, const PanelState& panel, size_t count);

}  // namespace lab::plot
