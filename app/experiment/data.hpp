// The examples of a run: made or read as the settings say, and parted into those trained on and those tested
// on.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vknorm/csv.hpp>
#include <vknorm/data.hpp>

#include "app/experiment/data_file.hpp"
#include "app/experiment/settings.hpp"

namespace lab {

/// Where examples come from.
struct DataOrigin {
    std::vector<std::string> facts;  ///< what was read and how, in words; none: the examples were made
    std::string test_set;            ///< which of them are those of the test, in words
    std::optional<vknorm::CsvLayout> table;      ///< of a file that is one
    std::vector<std::filesystem::path> files{};  ///< that were read
};

struct RunData {
    std::shared_ptr<const vknorm::Dataset> train, test;
    DataOrigin origin;
};

/// Equal settings give equal data. An official test set is the test, and never trained on; of other files a
/// part is held back. Throws vknorm::FormatError for a file that cannot be read, and std::invalid_argument
/// for one that cannot be learned from: too few examples to hold some back, one class only, examples too
/// large for a network.
RunData make_run_data(const Settings& settings);

/// The same examples with Settings::input_scale and input_shift on their inputs.
RunData moved(const RunData& data, const Settings& settings);

/// Whether both settings mean the same data.
bool same_data(const Settings& a, const Settings& b);

/// Why steps take fewer examples than asked for, in words; empty: they do not.
std::string batch_note(uint32_t asked, uint32_t taken);

/// "3 classes: setosa, versicolor, virginica"; of many the first and the last.
std::string classes_in_words(const vknorm::Dataset& data);

/// "10 000"
std::string grouped(size_t number);

}  // namespace lab
