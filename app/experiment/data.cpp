#include "app/experiment/data.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <vknorm/cifar.hpp>
#include <vknorm/idx.hpp>
#include <vknorm/images.hpp>
#include <vknorm/linear.hpp>
#include <vknorm/npy.hpp>

namespace lab {

namespace {

constexpr size_t planar_points = 512;  // for training, and as many for the test
constexpr size_t pictures_trained = 4000, pictures_tested = 1000;
// Of a file without a test set a fifth is held back, but no more than this: accuracy is known to 1 % then,
// and more would only make each evaluation slower.
constexpr size_t most_tested = 2000;

using Parts = std::pair<vknorm::Dataset, vknorm::Dataset>;

RunData share(Parts parts, DataOrigin origin) {
    return {std::make_shared<const vknorm::Dataset>(std::move(parts.first)),
            std::make_shared<const vknorm::Dataset>(std::move(parts.second)), std::move(origin)};
}

/// Generated ones.
RunData share_pictures(const vknorm::Dataset& all, uint64_t seed) {
    return share(
        vknorm::split(all, pictures_trained, seed),
        {.facts = {},
         .test_set = grouped(pictures_tested) + " other pictures, drawn with seed " + std::to_string(seed),
         .table = {}});
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

/// What any of the readers but that of tables found.
struct FoundParts {
    vknorm::Dataset train, test;
    std::string set, test_name;  ///< in words
    std::vector<std::filesystem::path> files;
};

[[noreturn]] void refuse_choice(const DataFile& file) {
    throw std::invalid_argument(file.path.string() + ": " +
                                Unfit("#" + file.choice, std::string("#") + file.format->choice).what());
}

FoundParts find_idx(const DataFile& file, const Settings& settings) {
    vknorm::IdxData all = vknorm::read_idx(file.path, {.set = file.choice, .max_bytes = settings.max_bytes});
    return {std::move(all.train), std::move(all.test), all.set, all.test_name, all.files};
}

FoundParts find_cifar(const DataFile& file, const Settings& settings) {
    vknorm::CifarData all =
        vknorm::read_cifar(file.path, {.set = file.choice, .max_bytes = settings.max_bytes});
    const std::string set = all.set == "coarse" ? "CIFAR-100, coarse" : "CIFAR-" + all.set;
    return {std::move(all.train), std::move(all.test), set, "test", all.files};
}

FoundParts find_images(const DataFile& file, const Settings& settings) {
    vknorm::ImagesOptions options{.max_bytes = settings.max_bytes};
    if (!file.choice.empty()) {
        const size_t x = file.choice.find('x');
        constexpr uint32_t most = 1024;
        try {
            options.height = read_number<uint32_t>(file.choice.substr(0, x), 1, most);
            options.width =
                read_number<uint32_t>(x == std::string::npos ? "" : file.choice.substr(x + 1), 1, most);
        } catch (const Unfit&) {
            refuse_choice(file);
        }
    }
    vknorm::ImagesData all = vknorm::read_images(file.path, options);
    return {std::move(all.train), std::move(all.test), "", all.test_name, {file.path}};
}

FoundParts find_arrays(const DataFile& file, const Settings& settings) {
    vknorm::NpyOptions options{.max_bytes = settings.max_bytes};
    if (file.choice == "first")
        options.channels = vknorm::ChannelAxis::first;
    else if (file.choice == "last")
        options.channels = vknorm::ChannelAxis::last;
    else if (!file.choice.empty())
        refuse_choice(file);
    vknorm::NpyData all = vknorm::read_npy(file.path, options);
    std::string arrays;
    for (const std::string& array : all.arrays) arrays += (arrays.empty() ? "" : ", ") + array;
    return {std::move(all.train), std::move(all.test), arrays, "test arrays", {file.path}};
}

FoundParts find_parts(const DataFile& file, const Settings& settings) {
    const std::string_view word = file.format->word;
    if (word == "idx") return find_idx(file, settings);
    if (word == "cifar") return find_cifar(file, settings);
    if (word == "images") return find_images(file, settings);
    return find_arrays(file, settings);
}

Parts read_pictures(const DataFile& file, const Settings& settings, DataOrigin& origin) {
    FoundParts all = find_parts(file, settings);
    const vknorm::Dataset& train = all.train;
    origin.files = all.files;
    if (!all.set.empty()) origin.facts.push_back(all.set);
    const bool pictures = train.image_width > 0;
    const auto count = [&](size_t size) {
        return pictures ? count_of(size, "picture", "pictures") : count_of(size, "example", "examples");
    };
    origin.facts.push_back(count(train.size() + all.test.size()) + " of " +
                           (pictures ? std::to_string(train.image_width) + " x " +
                                           std::to_string(train.image_height) +
                                           (train.image_channels > 1 ? " in colour" : "")
                                     : count_of(train.features, "feature", "features")));
    origin.facts.push_back(classes_in_words(train));
    if (all.test.size() == 0) return hold_back(train, file.path.string(), settings.seed, origin);
    origin.test_set = all.test_name + ", " + count(all.test.size());
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
        const uint32_t channels = train.image_channels;
        const std::string side = std::to_string(static_cast<uint32_t>(std::sqrt(most / channels)));
        throw std::invalid_argument(name + ": got pictures of " + std::to_string(train.image_width) + " x " +
                                    std::to_string(train.image_height) + (channels > 1 ? " in colour" : "") +
                                    ", needs pictures of at most " + side + " x " + side +
                                    ", or as many values: " + grouped(most));
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
        throw std::invalid_argument("data file: got '" + settings.data_file +
                                    "', needs a format and a path, such as idx:DIR");
    DataOrigin origin;
    try {
        Parts parts = (file->format->word == std::string_view("csv") ? read_table : read_pictures)(
            *file, settings, origin);
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
            return share_pictures(vknorm::make_digits(pictures_trained + pictures_tested, settings.seed),
                                  settings.seed);
        case Data::shapes:
            return share_pictures(vknorm::make_shapes(pictures_trained + pictures_tested, settings.seed),
                                  settings.seed);
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

RunData moved(const RunData& data, const Settings& settings) {
    if (settings.input_scale == 1 && settings.input_shift == 0) return data;
    const auto move = [&](const vknorm::Dataset& examples) {
        vknorm::Dataset result = examples;
        for (float& value : result.inputs) value = value * settings.input_scale + settings.input_shift;
        return std::make_shared<const vknorm::Dataset>(std::move(result));
    };
    return {move(*data.train), move(*data.test), data.origin};
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
