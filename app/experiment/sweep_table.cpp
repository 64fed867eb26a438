#include "app/experiment/sweep_table.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

#include <vknorm/file.hpp>

#include "app/experiment/csv_text.hpp"

namespace lab {

namespace {

using Row = std::map<std::string, std::string>;  // by column

std::string exact(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", value);
    return value == value ? text : "";
}

double number(const std::string& text) {
    return text.empty() ? SweepOutcome{}.accuracy : std::strtod(text.c_str(), nullptr);
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> parts(1);
    bool quoted = false;
    for (size_t i = 0; i < line.size(); ++i) {
        const bool twice = quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"';
        if (line[i] == '"' && !twice)
            quoted = !quoted;
        else if (line[i] == ',' && !quoted)
            parts.emplace_back();
        else
            parts.back() += line[i];
        i += twice;
    }
    return parts;
}

std::vector<Row> rows_of(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::string line;
    if (!std::getline(stream, line)) return {};
    const std::vector<std::string> head = split(line);
    std::vector<Row> rows;
    const auto refuse = [&](size_t at, const std::string& why) {
        throw vknorm::FormatError(file.string() + ":" + std::to_string(at) + ": " + why +
                                  ", needs the table of a sweep");
    };
    for (const char* const needed : {"twin", "accuracy", "loss", "diverged_at", "steps", "refused", "run"})
        if (std::find(head.begin(), head.end(), needed) == head.end())
            refuse(1, std::string("has no column ") + needed);
    for (size_t at = 2; std::getline(stream, line); ++at) {
        const std::vector<std::string> parts = split(line);
        if (parts.size() != head.size())
            refuse(at, "has " + std::to_string(parts.size()) + " columns, " + std::to_string(head.size()) +
                           " stand in line 1");
        Row& row = rows.emplace_back();
        for (size_t i = 0; i < head.size(); ++i) row[head[i]] = parts[i];
    }
    return rows;
}

}  // namespace

void write_sweep(const std::filesystem::path& file, const SweepPlan& plan, std::span<const SweepCell> cells) {
    const auto word = [](const SweepAxis& axis) { return flag_of(*axis.field, axis.twin).substr(2) + ","; };
    std::string lines = word(plan.along) + (plan.across ? word(*plan.across) : "") +
                        "seed,twin,accuracy,loss,diverged_at,steps,refused,run\n";
    for (const SweepCell& cell : cells) {
        std::string place = in_quotes(plan.along.values[cell.along]) + ",";
        if (plan.across) place += in_quotes(plan.across->values[cell.across]) + ",";
        place += std::to_string(cell.seed) + ",";
        const std::string rest = "," + std::to_string(cell.steps) + "," + in_quotes(cell.refused) + "," +
                                 in_quotes(cell.run) + "\n";
        for (size_t twin = 0; twin < cell.twins.size(); ++twin) {
            const SweepOutcome& outcome = cell.twins[twin];
            lines += place + twin_letter(twin) + "," + exact(outcome.accuracy) + "," + exact(outcome.loss) +
                     "," + (outcome.diverged_at > 0 ? std::to_string(outcome.diverged_at) : "") + rest;
        }
        if (!cell.refused.empty()) lines += place + ",,," + rest;
    }
    vknorm::write_file(file, lines);
}

std::vector<SweepCell> read_sweep(const std::filesystem::path& file) {
    std::vector<SweepCell> cells;
    if (!std::filesystem::exists(file)) return cells;
    for (Row& row : rows_of(file)) {
        const SweepCell next{.steps = std::strtoull(row["steps"].c_str(), nullptr, 10),
                             .run = row["run"],
                             .refused = row["refused"]};
        if (cells.empty() || !cells.back().is_same_run(next)) cells.push_back(next);
        if (!row["twin"].empty())
            cells.back().twins.push_back({number(row["accuracy"]), number(row["loss"]),
                                          std::strtoull(row["diverged_at"].c_str(), nullptr, 10)});
    }
    return cells;
}

}  // namespace lab
