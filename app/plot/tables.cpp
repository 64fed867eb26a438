#include "app/plot/tables.hpp"

#include <charconv>
#include <cmath>
#include <map>

namespace lab::plot {

namespace {

std::string cell(double value) {
    return cell_text(static_cast<float>(value));
}

/// A column of a table over steps.
struct TableColumn {
    std::string name;
    std::vector<Point> points;
};

std::vector<Point> all_of(const Points& points) {
    std::vector<Point> all;
    for (const Point point : points.kept()) all.push_back(point);
    return all;
}

std::vector<TableColumn> columns_of(const Series& series) {
    if (series.style == Style::band)
        return {{series.edges[0], all_of(series.points)}, {series.edges[1], all_of(series.upper)}};
    std::vector<TableColumn> columns = {{series.name, all_of(series.points)}};
    if (series.ink.empty()) return columns;
    TableColumn least{series.name + ", least", {}}, greatest{series.name + ", greatest", {}};
    for (size_t i = 0; i + 1 < series.ink.size(); i += 2) {
        least.points.push_back(series.ink[i]);
        greatest.points.push_back(series.ink[i + 1]);
    }
    columns.push_back(std::move(least));
    columns.push_back(std::move(greatest));
    return columns;
}

bool within(const Range& range, double value) {
    return value >= range.low && value <= range.high;
}

std::string class_name(const BoundaryView& twin, uint32_t label) {
    return label < twin.class_names.size() ? twin.class_names[label] : std::to_string(label);
}

}  // namespace

std::string cell_text(float value) {
    if (!std::isfinite(value)) return {};
    char characters[32];
    return std::string(characters, std::to_chars(characters, characters + sizeof characters, value).ptr);
}

Table table_of(const PlotOptions& options, std::span<const Series> series, const PanelState& panel,
               const SharedX& axis) {
    const Range in_sight = axis.view.range(axis.data, Scale::linear);
    const std::string unit = *options.unit != 0 ? std::string(" (") + options.unit + ")" : "";
    std::vector<TableColumn> columns;
    for (const Series& one : series)
        if (panel.shows(one.legend))
            for (TableColumn& column : columns_of(one)) columns.push_back(std::move(column));
    Table table{{axis.name}, {}};
    std::map<double, std::vector<std::string>> rows;
    for (size_t i = 0; i < columns.size(); ++i) {
        table.head.push_back(columns[i].name + unit);
        for (const Point& point : columns[i].points) {
            if (!within(in_sight, point.x)) continue;
            std::vector<std::string>& row = rows[point.x];
            row.resize(columns.size() + 1);
            row[0] = axis.unit == 1 ? whole_number(point.x) : cell(point.x);
            row[i + 1] = cell(point.y);
        }
    }
    for (auto& [step, row] : rows) table.rows.push_back(std::move(row));
    return table;
}

Table table_of(const HeatMapOptions& options, const HeatMap& map, const Range& steps) {
    Table table{{"step", options.row_name, options.value_name, "least", "greatest", "steps"}, {}};
    for (size_t column = 0; column < map.steps.size(); ++column)
        for (size_t row = 0; row < map.rows && within(steps, map.steps[column]); ++row) {
            const HeatCell its = map.cell(column, row);
            table.rows.push_back({whole_number(map.steps[column]), std::to_string(row), cell_text(its.value),
                                  cell_text(its.low), cell_text(its.high), std::to_string(its.steps)});
        }
    return table;
}

Table table_of(std::span<const Ridge> ridges) {
    Table table{{"step", "from", "to", "share"}, {}};
    for (const Ridge& ridge : ridges) {
        if (ridge.share.empty()) continue;  // not measured
        const std::string step = std::to_string(ridge.step);
        const auto edge = [&](size_t bin) {
            return cell(ridge.bins.low + ridge.bins.length() * static_cast<double>(bin) /
                                             static_cast<double>(ridge.share.size()));
        };
        table.rows.push_back({step, "-inf", edge(0), cell_text(ridge.below)});
        for (size_t bin = 0; bin < ridge.share.size(); ++bin)
            table.rows.push_back({step, edge(bin), edge(bin + 1), cell_text(ridge.share[bin])});
        table.rows.push_back({step, edge(ridge.share.size()), "inf", cell_text(ridge.above)});
    }
    return table;
}

Table table_of(const ScatterOptions& options, std::span<const Point> points) {
    Table table{{options.row_name, options.x_name, options.y_name}, {}};
    for (size_t i = 0; i < points.size(); ++i)
        table.rows.push_back({std::to_string(i), cell(points[i].x), cell(points[i].y)});
    return table;
}

Table table_of(std::span<const BoundaryView* const> twins, const vknorm::Dataset* points) {
    Table table{{"of", "x", "y", "class"}, {}};
    const uint32_t classes = twins.empty() ? 0 : twins.front()->classes;
    for (uint32_t label = 0; label < classes; ++label)
        table.head.push_back("probability of " + class_name(*twins.front(), label));
    for (size_t i = 0; points && i < points->size(); ++i) {
        table.rows.push_back({"point", cell_text(points->inputs[2 * i]), cell_text(points->inputs[2 * i + 1]),
                              class_name(*twins.front(), points->labels[i])});
        table.rows.back().resize(table.head.size());
    }
    for (const BoundaryView* const twin : twins)
        for (uint32_t row = 0; row < twin->rows; ++row)
            for (uint32_t column = 0; column < twin->columns; ++column) {
                const auto place = [&](uint32_t at, uint32_t count) {
                    return cell_text(twin->low + (twin->high - twin->low) * static_cast<float>(at) /
                                                     static_cast<float>(count - 1));
                };
                std::vector<std::string> cells = {twin->name, place(column, twin->columns),
                                                  place(row, twin->rows), ""};
                for (uint32_t label = 0; label < classes; ++label)
                    cells.push_back(cell_text(
                        twin->probability[(size_t{row} * twin->columns + column) * classes + label]));
                table.rows.push_back(std::move(cells));
            }
    return table;
}

Table table_of(const vknorm::Dataset& data, std::span<const std::span<const uint32_t>> predicted,
               size_t count) {
    Table table{{"picture", "class"}, {}};
    for (size_t twin = 0; twin < predicted.size(); ++twin)
        table.head.push_back(std::string("taken by ") + static_cast<char>('A' + twin) + " for");
    for (size_t i = 0; i < count; ++i) {
        table.rows.push_back({std::to_string(i), data.class_name(data.labels[i])});
        for (const std::span<const uint32_t> twin : predicted)
            table.rows.back().push_back(i < twin.size() ? data.class_name(twin[i]) : "");
    }
    return table;
}

Table table_of(std::span<const MapsView> twins, const PanelState& panel, size_t count) {
    Table table{{"twin", "picture", "row", "column", "value"}, {}};
    for (size_t twin = 0; twin < twins.size(); ++twin) {
        const MapsView& its = twins[twin];
        const size_t size = size_t{its.height} * its.width;
        for (size_t i = 0; panel.shows(1u << twin) && i < count * size; ++i)
            table.rows.push_back({its.name, std::to_string(i / size), std::to_string(i % size / its.width),
                                  std::to_string(i % its.width), cell_text(its.values[i])});
    }
    return table;
}

}  // namespace lab::plot
