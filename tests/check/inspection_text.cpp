// What an inspection found, as a table and as JSON.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/output.hpp"
#include "bench/findings.hpp"
#include "check/inspection.hpp"

namespace vknorm::check {

namespace {

using bench::append;
using nlohmann::json;

constexpr int healthy = 0, found = 1, unreadable = 2;  // exit statuses

std::string number(double value) {
    std::string text;
    append(text, "%.4g", value);
    return text;
}

std::string range(const std::optional<Extent>& extent) {
    return extent ? number(extent->least) + " to " + number(extent->greatest) : "-";
}

/// "channel 3", "channels 3, 7, 9 and 12 more"; empty: none.
std::string channels_text(const std::vector<size_t>& channels) {
    constexpr size_t most = 5;
    if (channels.empty()) return "";
    std::string text = channels.size() == 1 ? "channel " : "channels ";
    for (size_t i = 0; i < std::min(channels.size(), most); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(channels[i]);
    if (channels.size() > most) text += " and " + std::to_string(channels.size() - most) + " more";
    return text + ": ";
}

std::string markdown_of(const std::vector<InspectedNorm>& norms, const std::string& file) {
    std::string text;
    append(text, "%s, with epsilon %g and momentum %g of PyTorch:\n\n", file.c_str(), inspected_epsilon,
           inspected_momentum);
    text +=
        "| norm | channels | batches | running mean | running variance | largest scale | folds into, largest "
        "weight | findings |\n|---|---|---|---|---|---|---|---|\n";
    size_t findings = 0, ill = 0;
    for (const InspectedNorm& norm : norms) {
        std::string kinds, folding = "-";
        for (const Finding& finding : norm.findings) kinds += (kinds.empty() ? "" : ", ") + finding.kind;
        if (!norm.folds_into.empty())
            folding = norm.folds_into + ", " + number(norm.largest_weight) + " to " +
                      number(norm.largest_folded_weight);
        append(text, "| %s | %zu | %s | %s | %s | %s | %s | %s |\n", norm.name.c_str(), norm.channels,
               norm.batches ? std::to_string(*norm.batches).c_str() : "-", range(norm.mean).c_str(),
               range(norm.variance).c_str(), norm.largest_scale ? number(*norm.largest_scale).c_str() : "-",
               folding.c_str(), kinds.empty() ? "-" : kinds.c_str());
        findings += norm.findings.size();
        ill += norm.findings.empty() ? 0 : 1;
    }
    text += '\n';
    for (const InspectedNorm& norm : norms)
        for (const Finding& finding : norm.findings)
            text += "- " + norm.name + ": " + finding.kind + ": " + channels_text(finding.channels) +
                    finding.text + "\n";
    append(text, "%zu %s, %s\n", norms.size(), norms.size() == 1 ? "norm" : "norms",
           findings == 0 ? "all healthy"
                         : (std::to_string(findings) + " findings in " + std::to_string(ill)).c_str());
    return text;
}

/// Null for what JSON has no number for.
json number_or_null(double value) {
    return std::isfinite(value) ? json(value) : json();
}

json json_of(const std::optional<Extent>& extent) {
    if (!extent) return {};
    return {number_or_null(extent->least), number_or_null(extent->greatest)};
}

json json_of(const std::vector<InspectedNorm>& norms, const std::string& file) {
    json layers = json::array();
    for (const InspectedNorm& norm : norms) {
        json findings = json::array();
        for (const Finding& finding : norm.findings)
            findings.push_back(
                {{"kind", finding.kind}, {"text", finding.text}, {"channels", finding.channels}});
        layers.push_back({{"name", norm.name},
                          {"channels", norm.channels},
                          {"num_batches_tracked", norm.batches ? json(*norm.batches) : json()},
                          {"running_mean", json_of(norm.mean)},
                          {"running_var", json_of(norm.variance)},
                          {"largest_scale", norm.largest_scale ? json(*norm.largest_scale) : json()},
                          {"folds_into", norm.folds_into.empty() ? json() : json(norm.folds_into)},
                          {"largest_weight", number_or_null(norm.largest_weight)},
                          {"largest_folded_weight", number_or_null(norm.largest_folded_weight)},
                          {"findings", findings}});
    }
    return {
        {"file", file}, {"epsilon", inspected_epsilon}, {"momentum", inspected_momentum}, {"norms", layers}};
}

}  // namespace

int run_inspection(const std::filesystem::path& file, const std::filesystem::path& json_file, bool force,
                   std::ostream& out, std::ostream& err) {
    try {
        if (!json_file.empty()) lab::require_output(json_file, force);
        const std::vector<InspectedNorm> norms = inspect(read_safetensors(file).tensors, file.string());
        out << markdown_of(norms, file.string());
        // A file's name need not be UTF-8.
        if (!json_file.empty())
            write_file(
                json_file,
                json_of(norms, file.string()).dump(2, ' ', false, json::error_handler_t::replace) + "\n",
                lab::existing_files(force));
        const bool ill =
            std::ranges::any_of(norms, [](const InspectedNorm& norm) { return !norm.findings.empty(); });
        return ill ? found : healthy;
    } catch (const std::exception& error) {
        err << error.what() << '\n';
        return unreadable;
    }
}

}  // namespace vknorm::check
