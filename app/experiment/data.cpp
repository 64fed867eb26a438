#include "app/experiment/data.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include <vknorm/idx.hpp>
#include <vknorm/linear.hpp>

namespace lab {

namespace {

constexpr size_t planar_points = 512;  // for training, and as many for the test
constexpr size_t digits_trained = 4000, digits_tested = 1000;
// Of a file without a test set a fifth is held back, but no more than this: accuracy is known to 1 % then,
// and more would only make each evaluation slower.
constexpr size_t most_tested = 2000;

using Parts = std::pair<vknorm::Dataset, vknorm::Dataset>;

RunData share(Parts parts, DataOrigin origin) {
    return {std::make_shared<const vknorm::Dataset>(std::move(parts.first)),
            std::make_shared<const vknorm::Dataset>(std::move(parts.second)), std::move(origin)};
}

std::string count_of(size_t number, const std::string& one, const std::string& many) {
    return grouped(number) + " " + (number == 1 ? one : many);
}

/// The examples of a file that has no test set of its own, parted at random.
Parts hold_back(const vknorm::Dataset& all, const std::string& name, uint64_t seed, DataOrigin& origin) {
    constexpr size_t share_of_test = 5;
    if (all.size() < share_of_test)
        throw std::invalid_argument(name + ": got " + std::to_string(all.size()) +
                                    " examples, needs 5 to hold some back for the test");
    const size_t tested = std::min(all.size() / share_of_test, most_tested);
    origin.test_set = tested < most_tested ? "one fifth of the examples (" + grouped(tested) + " of " +
                                                 grouped(all.size()) + ")"
                                           : grouped(tested) + " of the " + grouped(all.size()) + " examples";
    origin.test_set += ", drawn with seed " + std::to_string(seed);
    return vknorm::split(all, all.size() - tested, seed);
}

Parts read_pictures(const DataFile& file, const Settings& settings, DataOrigin& origin) {
    vknorm::IdxData all = vknorm::read_idx(file.path, {.set = file.choice, .max_bytes = settings.max_bytes});
    const vknorm::Dataset& train = all.train;
    origin.files = all.files;
    if (!all.set.empty()) origin.facts.push_back(all.set);
    origin.facts.push_back(count_of(train.size() + all.test.size(), "picture", "pictures") + " of " +
                           std::to_string(train.image_width) + " x " + std::to_string(train.image_height));
    origin.facts.push_back(classes_in_words(train));
    if (all.test.size() == 0) return hold_back(train, file.path.string(), settings.seed, origin);
    origin.test_set = all.test_name + ", " + count_of(all.test.size(), "picture", "pictures");
    return {std::move(all.train), std::move(all.test)};
}

std::string separator_name(char separator) {
    return separator == ',' ? "commas" : separator == ';' ? "semicolons" : "tabs";
}

std::string column_name(const vknorm::CsvLayout& table, size_t column) {
    return std::to_string(column) + (table.columns.empty() ? "" : " ('" + table.columns[column - 1] + "')");
}

void add_layout(const vknorm::CsvLayout& table, std::vector<std::string>& facts) {
    facts.push_back("separated by " + separator_name(table.separator) +
                    (table.decimal_comma ? ", with decimal commas" : ""));
    const auto is_number = [](const std::string& name) {
        return name.find_first_not_of("0123456789") == std::string::npos;
    };
    facts.push_back(table.columns.empty() ? "no header"
                    : std::all_of(table.columns.begin(), table.columns.end(), is_number)
                        ? "a header of numbers"
                        : "a header");
    facts.push_back("label: column " + column_name(table, table.label_column));
    if (table.row_number_column != 0)
        facts.push_back("left out: row numbers, column " + column_name(table, table.row_number_column));
}

Parts read_table(const DataFile& file, const Settings& settings, DataOrigin& origin) {
    vknorm::CsvData all =
        vknorm::read_csv(file.path, {.label = file.choice, .max_bytes = settings.max_bytes});
    origin.files = {file.path};
    origin.facts = {count_of(all.data.size(), "example", "examples") + " of " +
                        count_of(all.data.features, "feature", "features"),
                    classes_in_words(all.data)};
    add_layout(all.layout, origin.facts);
    origin.table = std::move(all.layout);
    Parts parts = hold_back(all.data, file.path.string(), settings.seed, origin);
    vknorm::standardize(parts.first, parts.second);
    return parts;
}

/// Throws std::invalid_argument unless a network can learn something from `train`.
void require_learnable(const vknorm::Dataset& train, const std::string& name) {
    constexpr uint32_t most = vknorm::Linear::max_size;
    if (train.features > most && train.image_width > 0) {
        const std::string side = std::to_string(static_cast<uint32_t>(std::sqrt(most)));
        throw std::invalid_argument(name + ": got pictures of " + std::to_string(train.image_width) + " x " +
                                    std::to_string(train.image_height) + ", needs pictures of at most " +
                                    side + " x " + side + ", or as many values: " + grouped(most));
    }
    if (train.features > most)
        throw std::invalid_argument(name + ": got " + grouped(train.features) + " features, needs at most " +
                                    grouped(most));
    const uint32_t first = train.labels.front();
    if (std::all_of(train.labels.begin(), train.labels.end(), [&](uint32_t label) { return label == first; }))
        throw std::invalid_argument(name + ": got one class only, '" + train.class_name(first) +
                                    "', needs two: there is nothing to tell apart");
}

RunData read_file(const Settings& settings) {
    const std::optional<DataFile> file = parse_data_file(settings.data_file);
    if (!file)
        throw std::invalid_argument("data file: got '" + settings.data_file + "', needs idx:DIR or csv:FILE");
    DataOrigin origin;
    try {
        Parts parts = (file->pictures ? read_pictures : read_table)(*file, settings, origin);
        require_learnable(parts.first, file->path.string());
        return share(std::move(parts), std::move(origin));
    } catch (const vknorm::TooLarge& large) {
        throw std::invalid_argument(std::string(large.what()) + "; --max-bytes allows more");
    }
}

}  // namespace

RunData make_run_data(const Settings& settings) {
    switch (settings.data) {
        case Data::digits:
            return share(vknorm::split(vknorm::make_digits(digits_trained + digits_tested, settings.seed),
                                       digits_trained, settings.seed),
                         {.facts = {},
                          .test_set = grouped(digits_tested) + " other pictures, drawn with seed " +
                                      std::to_string(settings.seed),
                          .table = {}});
        case Data::file:
            return read_file(settings);
        default: {
            static_assert(static_cast<int>(Data::spiral) == static_cast<int>(vknorm::Shape2D::spiral) &&
                          static_cast<int>(Data::rings) == static_cast<int>(vknorm::Shape2D::rings));
            const auto shape = static_cast<vknorm::Shape2D>(settings.data);
            // Two draws rather than one that is split: each has its classes balanced.
            const uint64_t other_seed = settings.seed ^ 0x9e3779b97f4a7c15u;
            return share({vknorm::make_2d(shape, planar_points, settings.noise, settings.seed),
                          vknorm::make_2d(shape, planar_points, settings.noise, other_seed)},
                         {.facts = {},
                          .test_set = grouped(planar_points) + " other points, drawn with seed " +
                                      std::to_string(settings.seed),
                          .table = {}});
        }
    }
}

bool same_data(const Settings& a, const Settings& b) {
    return a.data == b.data && a.data_file == b.data_file && a.noise == b.noise && a.seed == b.seed;
}

std::string batch_note(uint32_t asked, uint32_t taken) {
    if (taken >= asked) return {};
    return "Batch size: " + std::to_string(taken) + ", all examples to train on, in place of " +
           std::to_string(asked);
}

std::string classes_in_words(const vknorm::Dataset& data) {
    constexpr uint32_t most = 12;
    std::string text = count_of(data.classes, "class", "classes") + ": ";
    if (data.classes > most) return text + data.class_name(0) + " to " + data.class_name(data.classes - 1);
    for (uint32_t label = 0; label < data.classes; ++label)
        text += (label == 0 ? "" : ", ") + data.class_name(label);
    return text;
}

std::string grouped(size_t number) {
    std::string digits = std::to_string(number);
    for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, " ");
    return digits;
}

}  // namespace lab
