#include "app/experiment/report.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>

#include <vknorm/file.hpp>

#include "app/experiment/csv_text.hpp"
#include "app/experiment/measured_layers.hpp"
#include "app/experiment/share.hpp"

namespace lab {

namespace {

/// The shortest text that reads back as `value`; empty when that was not measured.
std::string text(float value) {
    if (!std::isfinite(value)) return {};
    char characters[32];
    return std::string(characters, std::to_chars(characters, characters + sizeof characters, value).ptr);
}

/// `value` as JSON shows it: 0.3f is 0.3, and null what was not measured.
nlohmann::ordered_json number(float value) {
    return std::isfinite(value) ? nlohmann::ordered_json(std::stod(text(value))) : nlohmann::ordered_json();
}

/// As the command line takes them.
nlohmann::ordered_json options_of(const Settings& settings) {
    nlohmann::ordered_json options;
    for (const Field& field : fields) {
        if (!field.reported) continue;
        std::string key = field.word;
        std::replace(key.begin(), key.end(), '-', '_');
        const auto json = [&](size_t twin) {
            return std::visit(
                [](const auto& value) -> nlohmann::ordered_json {
                    if constexpr (std::is_same_v<decltype(value), const float&>)
                        return number(value);
                    else
                        return value;
                },
                value_of(field, settings, twin));
        };
        if (!is_of_twin(field)) options[key] = json(0);
        for (size_t twin = 0; is_of_twin(field) && twin < settings.twins.size(); ++twin)
            options[key + '_' + static_cast<char>('a' + twin)] = json(twin);
    }
    return options;
}

nlohmann::ordered_json column_of(const vknorm::CsvLayout& table, size_t column) {
    if (column == 0) return nullptr;
    nlohmann::ordered_json json = {{"number", column}};
    if (!table.columns.empty()) json["name"] = table.columns[column - 1];
    return json;
}

/// What was learned from, and which examples the test accuracy is of.
nlohmann::ordered_json data_of(const Snapshot& run) {
    nlohmann::ordered_json data;
    for (const std::filesystem::path& file : run.origin.files) data["files"].push_back(file.string());
    if (!run.origin.facts.empty()) data["facts"] = run.origin.facts;
    data["train_examples"] = run.train->size();
    data["test_examples"] = run.test->size();
    data["test_set"] = run.origin.test_set;
    data["features"] = run.train->features;
    if (run.train->image_width > 0) data["shape"] = run.train->shape();
    for (uint32_t label = 0; label < run.train->classes; ++label)
        data["classes"].push_back(run.train->class_name(label));
    if (const auto& table = run.origin.table) {
        data["separator"] = std::string(1, table->separator);
        data["decimal_comma"] = table->decimal_comma;
        data["header"] = !table->columns.empty();
        data["label_column"] = column_of(*table, table->label_column);
        data["row_number_column"] = column_of(*table, table->row_number_column);
    }
    return data;
}

/// What is known of one step of one twin; null: nothing.
struct Line {
    const History<TrainingRow>::Entry* training = nullptr;
    const History<UnitRow>::Entry* unit = nullptr;
    const History<TestRow>::Entry* test = nullptr;
};

template <class Row>
struct NamedColumn {
    const char* name;
    float Row::*number;
};
constexpr std::array training_columns = {
    NamedColumn<TrainingRow>{"loss", &TrainingRow::loss},
    NamedColumn<TrainingRow>{"smoothed_loss", &TrainingRow::strongly_smoothed_loss},
    NamedColumn<TrainingRow>{"gradient_norm", &TrainingRow::gradient_norm}};
constexpr std::array unit_columns = {NamedColumn<UnitRow>{"percentile15", &UnitRow::percentile15},
                                     NamedColumn<UnitRow>{"percentile50", &UnitRow::percentile50},
                                     NamedColumn<UnitRow>{"percentile85", &UnitRow::percentile85},
                                     NamedColumn<UnitRow>{"batch_mean", &UnitRow::batch_mean},
                                     NamedColumn<UnitRow>{"batch_variance", &UnitRow::batch_variance},
                                     NamedColumn<UnitRow>{"running_mean", &UnitRow::running_mean},
                                     NamedColumn<UnitRow>{"running_variance", &UnitRow::running_variance},
                                     NamedColumn<UnitRow>{"gamma", &UnitRow::gamma},
                                     NamedColumn<UnitRow>{"beta", &UnitRow::beta},
                                     NamedColumn<UnitRow>{"unit_gradient_norm", &UnitRow::gradient_norm}};
constexpr std::array test_columns = {
    NamedColumn<TestRow>{"test_loss", &TestRow::loss},
    NamedColumn<TestRow>{"test_accuracy", &TestRow::accuracy},
    NamedColumn<TestRow>{"test_accuracy_batch_statistics", &TestRow::batch_accuracy}};

template <class Row>
bool has_extremes(float Row::*number) {
    if constexpr (RowOfNumbers<Row>)
        return std::find(Row::numbers.begin(), Row::numbers.end(), number) != Row::numbers.end();
    return false;
}

template <class Columns>
std::string heads(const Columns& columns) {
    std::string text;
    for (const auto& column : columns) {
        text += std::string(",") + column.name;
        if (has_extremes(column.number))
            text += std::string(",") + column.name + "_min," + column.name + "_max";
    }
    return text;
}

template <class Columns, class Entry>
std::string cells(const Columns& columns, const Entry* entry) {
    std::string line;
    for (const auto& column : columns) {
        line += ',' + (entry ? text(entry->value.*column.number) : "");
        if constexpr (requires { entry->extremes.low; })
            if (has_extremes(column.number))
                line += ',' + (entry ? text(entry->extremes.low.*column.number) : "") + ',' +
                        (entry ? text(entry->extremes.high.*column.number) : "");
    }
    return line;
}

template <class Entry>
std::string rows_of(const Entry* entry) {
    return entry ? std::to_string(entry->extremes.rows) : "";
}

}  // namespace

uint64_t steps_per_line(const Snapshot& run) {
    uint64_t most = 1;
    for (const TwinView& twin : run.twins)
        most = std::max({most, twin.training.stride(), twin.unit.stride()});
    return most;
}

namespace {

nlohmann::ordered_json divergence_of(const TwinView& twin) {
    if (!twin.divergence) return {};
    return {{"step", twin.divergence->step}, {"found", twin.divergence->found}};
}

struct InspectedUnit {
    uint32_t layer, unit;
};
// Within the network, as the twins take it.
InspectedUnit inspected(Settings settings) {
    keep_inspected_valid(settings);
    return {settings.inspected_layer + 1, settings.inspected_unit};
}

}  // namespace

void write_summary(const std::filesystem::path& file, const Snapshot& run, const vknorm::DeviceInfo& device,
                   double steps_per_second, const std::string& command_line,
                   const std::vector<RankReport>& ranks) {
    nlohmann::ordered_json twins = nlohmann::ordered_json::array();
    for (size_t i = 0; i < run.twins.size(); ++i) {
        const auto& training = run.twins[i].training;
        const auto& tests = run.twins[i].test;
        const TestRow test = tests.empty() ? TestRow{} : tests.back().value;
        twins.push_back(
            {{"name", std::string(1, twin_letter(i))},
             {"norm", norm_text(run.settings, i)},
             {"train_loss",
              number(training.empty() ? not_measured : training.back().value.strongly_smoothed_loss)},
             {"test_loss", number(test.loss)},
             {"test_accuracy",
              {{"eval", number(test.accuracy)}, {"batch_statistics", number(test.batch_accuracy)}}},
             {"diverged", divergence_of(run.twins[i])}});
    }
    const InspectedUnit unit = inspected(run.settings);
    nlohmann::ordered_json summary = {
        {"version", VKNORM_VERSION},
        {"command_line", command_line},
        {"device", device.name},
        {"driver", device.driver},
        {"options", options_of(run.settings)},
        {"share", share_string(run.settings)},
        {"data", run.train ? data_of(run) : nullptr},
        {"seed", run.settings.seed},
        {"parameters", run.parameters},
        {"inspected", {{"layer", unit.layer}, {"unit", unit.unit}}},
        {"steps", run.step},
        {"steps_per_history_line", steps_per_line(run)},
        {"steps_per_second",
         steps_per_second > 0 ? nlohmann::ordered_json(steps_per_second) : nlohmann::ordered_json()},
        {"twins", twins}};
    for (const RankReport& rank : ranks)
        summary["ranks"].push_back({{"device", rank.device},
                                    {"examples_per_second", number(rank.examples_per_second)},
                                    {"exchange_share", number(rank.exchange_share)}});
    // A file's name need not be UTF-8.
    vknorm::write_file(file,
                       summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::string history_head() {
    return "step,twin" + heads(training_columns) + ",steps,layer,unit" + heads(unit_columns) + ",unit_steps" +
           heads(test_columns);
}

std::vector<HistoryLine> history_lines(const Snapshot& run, uint64_t from) {
    const InspectedUnit unit = inspected(run.settings);
    const std::string place_of_unit = ',' + std::to_string(unit.layer) + ',' + std::to_string(unit.unit);
    std::map<std::pair<uint64_t, size_t>, Line> rows;  // by step and twin
    for (size_t i = 0; i < run.twins.size(); ++i) {
        const TwinView& twin = run.twins[i];
        const auto collect = [&](const auto& history, auto member) {
            for (const auto& entry : history)
                if (entry.step >= from) rows[{entry.step, i}].*member = &entry;
        };
        collect(twin.training, &Line::training);
        collect(twin.unit, &Line::unit);
        collect(twin.test, &Line::test);
    }
    std::vector<HistoryLine> lines;
    for (const auto& [place, row] : rows)
        lines.push_back({place.first, place.second,
                         std::to_string(place.first) + ',' + twin_letter(place.second) +
                             cells(training_columns, row.training) + ',' + rows_of(row.training) +
                             place_of_unit + cells(unit_columns, row.unit) + ',' + rows_of(row.unit) +
                             cells(test_columns, row.test)});
    return lines;
}

void write_history(const std::filesystem::path& file, const Snapshot& run) {
    std::string text = history_head() + '\n';
    for (const HistoryLine& line : history_lines(run)) text += line.cells + '\n';
    vknorm::write_file(file, text);
}

namespace {

nlohmann::ordered_json number(double value) {
    return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

nlohmann::ordered_json criterion_of(const JudgedCriterion& judged) {
    nlohmann::ordered_json seeds = nlohmann::ordered_json::array();
    for (const double measured : judged.seeds) seeds.push_back(number(measured));
    const Bound& needed = judged.criterion->needed;
    return {{"what", judged.criterion->what},
            {"median", number(judged.median)},
            {needed.side == Bound::Side::at_least ? "at_least" : "at_most", needed.value},
            {"seeds", seeds},
            {"holds", judged.holds},
            {"why", judged.criterion->why}};
}

nlohmann::ordered_json run_of(const RunRecord& record) {
    nlohmann::ordered_json accuracies = nlohmann::ordered_json::array(), measurements;
    for (const TwinView& twin : record.run.twins)
        accuracies.push_back(number(twin.test.empty() ? not_measured : twin.test.back().value.accuracy));
    for (const auto& [name, twins] : record.measured)
        for (const std::vector<Measurement>& all : twins)
            measurements[name].push_back(all.empty() ? nlohmann::ordered_json() : number(all.back().value));
    return {{"x", record.x},
            {"steps", record.run.step},
            {"refused",
             record.refused.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(record.refused)},
            {"options", options_of(record.run.settings)},
            {"test_accuracy", accuracies},
            {"measured", measurements}};
}

}  // namespace

void write_experiment(const std::filesystem::path& file, const Experiment& experiment,
                      const std::vector<Trial>& trials, bool fast, const vknorm::DeviceInfo& device,
                      double seconds, const std::string& command_line) {
    const Judgement judgement = judge(experiment, trials);
    nlohmann::ordered_json criteria = nlohmann::ordered_json::array(), references = criteria,
                           seeds = criteria;
    for (const JudgedCriterion& judged : judgement.criteria) criteria.push_back(criterion_of(judged));
    for (const Figure& figure : experiment.figures)
        for (const Reference& reference : figure.references)
            references.push_back({{"figure", figure.title},
                                  {"twin", std::string(1, twin_letter(reference.twin))},
                                  {"x", reference.x},
                                  {"y", reference.y},
                                  {"whose", reference.whose}});
    for (const Trial& trial : trials) {
        nlohmann::ordered_json runs = nlohmann::ordered_json::array();
        for (const RunRecord& record : trial.runs) runs.push_back(run_of(record));
        seeds.push_back({{"seed", trial.seed}, {"runs", runs}});
    }
    const nlohmann::ordered_json summary = {{"version", VKNORM_VERSION},
                                            {"command_line", command_line},
                                            {"device", device.name},
                                            {"driver", device.driver},
                                            {"experiment", experiment.name},
                                            {"claim", experiment.claim},
                                            {"source", experiment.source},
                                            {"form", fast ? "fast" : "full"},
                                            {"verdict", name(judgement.verdict)},
                                            {"seeds_that_hold", judgement.seeds_that_hold},
                                            {"seconds", seconds},
                                            {"criteria", criteria},
                                            {"references", references},
                                            {"seeds", seeds}};
    vknorm::write_file(file,
                       summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::string merged_steps_note(const Snapshot& run) {
    const uint64_t steps = steps_per_line(run);
    if (steps == 1) return "";
    return "history.csv has a line for " + std::to_string(steps) +
           " steps: the first one's values, and the least and the greatest of all in *_min and *_max";
}

void write_events(const std::filesystem::path& file, const Snapshot& run) {
    std::string lines = "number,step,kind,what\n";
    for (size_t i = 0; i < run.events.size(); ++i) {
        const Event& event = run.events[i];
        lines += std::to_string(i + 1) + ',' + std::to_string(event.step) + ',' + word(event.kind) + ',' +
                 in_quotes(event.words) + '\n';
    }
    vknorm::write_file(file, lines);
}

void write_distributions(const std::filesystem::path& file, const Snapshot& run) {
    std::string lines = "step,twin,layer,low,high,share\n";
    for (size_t i = 0; i < run.twins.size(); ++i)
        for (const auto& entry : run.twins[i].distributions)
            for (size_t layer = 0; layer < entry.value.size(); ++layer) {
                const Histogram& histogram = entry.value[layer];
                const std::string place =
                    std::to_string(entry.step) + ',' + twin_letter(i) + ',' + std::to_string(layer + 1) + ',';
                const auto add = [&](const std::string& low, const std::string& high, float share) {
                    lines.append(place).append(low + ',').append(high + ',').append(text(share) + '\n');
                };
                add("-inf", text(histogram.low), histogram.below);
                for (size_t bin = 0; bin < histogram.share.size(); ++bin)
                    add(text(histogram.edge(bin)), text(histogram.edge(bin + 1)), histogram.share[bin]);
                add(text(histogram.high), "inf", histogram.above);
            }
    vknorm::write_file(file, lines);
}

}  // namespace lab
