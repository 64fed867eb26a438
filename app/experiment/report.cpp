#include "app/experiment/report.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>

#include <vknorm/file.hpp>

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

/// What is known of one step of one twin.
struct Line {
    TrainingRow training;
    UnitRow unit;
    TestRow test;
};

}  // namespace

void write_summary(const std::filesystem::path& file, const Snapshot& run, const vknorm::DeviceInfo& device,
                   double steps_per_second) {
    nlohmann::ordered_json twins = nlohmann::ordered_json::array();
    for (size_t i = 0; i < run.twins.size(); ++i) {
        const auto& training = run.twins[i].training;
        const auto& tests = run.twins[i].test;
        const TestRow test = tests.empty() ? TestRow{} : tests.back().value;
        twins.push_back(
            {{"name", std::string(1, twin_letter(i))},
             {"norm", norm_text(run.settings, i)},
             {"train_loss", number(training.empty() ? not_measured : training.back().value.smoothed_loss)},
             {"test_loss", number(test.loss)},
             {"test_accuracy",
              {{"eval", number(test.accuracy)}, {"batch_statistics", number(test.batch_accuracy)}}}});
    }
    const nlohmann::ordered_json summary = {
        {"device", device.name},
        {"driver", device.driver},
        {"options", options_of(run.settings)},
        {"data", run.train ? data_of(run) : nullptr},
        {"seed", run.settings.seed},
        {"steps", run.step},
        {"steps_per_second",
         steps_per_second > 0 ? nlohmann::ordered_json(steps_per_second) : nlohmann::ordered_json()},
        {"twins", twins}};
    // A file's name need not be UTF-8.
    vknorm::write_file(file,
                       summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void write_history(const std::filesystem::path& file, const Snapshot& run) {
    std::string lines =
        "step,twin,loss,smoothed_loss,gradient_norm,percentile15,percentile50,percentile85,batch_mean,"
        "batch_variance,running_mean,running_variance,test_loss,test_accuracy,test_accuracy_batch_"
        "statistics\n";
    std::map<std::pair<uint64_t, size_t>, Line> rows;  // by step and twin
    for (size_t i = 0; i < run.twins.size(); ++i) {
        const TwinView& twin = run.twins[i];
        for (const auto& entry : twin.training) rows[{entry.step, i}].training = entry.value;
        for (const auto& entry : twin.unit) rows[{entry.step, i}].unit = entry.value;
        for (const auto& entry : twin.test) rows[{entry.step, i}].test = entry.value;
    }
    for (const auto& [place, row] : rows) {
        lines += std::to_string(place.first) + ',' + twin_letter(place.second);
        for (const float value :
             {row.training.loss, row.training.smoothed_loss, row.training.gradient_norm,
              row.unit.percentile15, row.unit.percentile50, row.unit.percentile85, row.unit.batch_mean,
              row.unit.batch_variance, row.unit.running_mean, row.unit.running_variance, row.test.loss,
              row.test.accuracy, row.test.batch_accuracy})
            lines += ',' + text(value);
        lines += '\n';
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
                for (size_t bin = 0; bin < histogram.share.size(); ++bin)
                    lines += place + text(histogram.edge(bin)) + ',' + text(histogram.edge(bin + 1)) + ',' +
                             text(histogram.share[bin]) + '\n';
            }
    vknorm::write_file(file, lines);
}

}  // namespace lab
