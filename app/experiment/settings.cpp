#include "app/experiment/settings.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "app/experiment/data_file.hpp"

namespace lab {

bool is_planar(Data data) {
    return data != Data::digits && data != Data::shapes && data != Data::file;
}

bool is_pictures(const Settings& settings) {
    if (settings.data != Data::file) return !is_planar(settings.data);
    const std::optional<DataFile> file = parse_data_file(settings.data_file);
    return file && file->format->pictures;
}

bool is_perceptron(const Settings& settings) {
    return settings.model == Model::mlp;
}

uint64_t examples_per_step(const Settings& settings) {
    return uint64_t{settings.batch} * settings.accumulate;
}

uint32_t normalized_together(const Settings& settings, size_t twin) {
    const TwinSettings& its = settings.twins[twin];
    return its.device_statistics == DeviceStatistics::alone ? settings.batch / its.devices : settings.batch;
}

namespace {

/// A norm, and of how many units or channels.
struct NormedLayer {
    vknorm::Norm norm;
    uint32_t width;
};

/// Of a twin. Models for pictures have one norm everywhere, on multiples of the channels they begin with.
std::vector<NormedLayer> normed_layers(const Settings& settings, size_t twin) {
    const TwinSettings& its = settings.twins[twin];
    if (!is_perceptron(settings)) return {{its.norm, settings.model == Model::classifier ? 64u : 16u}};
    std::vector<NormedLayer> layers;
    for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
        layers.push_back({its.norm_of(layer), settings.hidden[layer]});
    return layers;
}

}  // namespace

bool has_norm(const Settings& settings, size_t twin, vknorm::Norm norm) {
    const std::vector<NormedLayer> layers = normed_layers(settings, twin);
    return std::any_of(layers.begin(), layers.end(), [&](const auto& layer) { return layer.norm == norm; });
}

bool depends_on_batch(const Settings& settings, size_t twin) {
    const std::vector<NormedLayer> layers = normed_layers(settings, twin);
    return std::any_of(layers.begin(), layers.end(),
                       [](const auto& layer) { return vknorm::keeps_running_statistics(layer.norm); });
}

uint32_t most_groups(const Settings& settings, size_t twin) {
    uint32_t most = 0;
    for (const NormedLayer& layer : normed_layers(settings, twin))
        if (layer.norm == vknorm::Norm::group) most = std::gcd(most, layer.width);
    return most;
}

void set_twin_count(Settings& settings, size_t count) {
    constexpr std::array<vknorm::Norm, limits::max_twins> norms = {vknorm::Norm::batch, vknorm::Norm::none,
                                                                   vknorm::Norm::layer, vknorm::Norm::group};
    const TwinSettings first = settings.twins.front();
    for (size_t twin = settings.twins.size(); twin < count; ++twin) {
        TwinSettings added = first;
        added.norm = norms[twin];
        added.exceptions.clear();
        settings.twins.push_back(added);
    }
    settings.twins.resize(count);
}

void keep_norms_valid(Settings& settings) {
    for (size_t twin = 0; twin < settings.twins.size(); ++twin) {
        TwinSettings& its = settings.twins[twin];
        const size_t layers = is_perceptron(settings) ? settings.hidden.size() : 0;
        its.exceptions.erase(its.exceptions.lower_bound(static_cast<uint32_t>(layers)), its.exceptions.end());
        const uint32_t most = most_groups(settings, twin);
        while (most > 0 && (its.groups > most || most % its.groups != 0)) --its.groups;
    }
}

std::string data_form() {
    std::string form = join_words<Data>(data_choices, "|");
    for (const DataFormat& format : data_formats)
        form += std::string("|") + format.word + (format.folder ? ":DIR[#" : ":FILE[#") + format.choice + "]";
    return form;
}

std::string data_text(const Settings& settings, size_t) {
    return settings.data == Data::file ? settings.data_file : word(settings.data);
}

void read_data(Settings& settings, size_t, const std::string& text) {
    const std::optional<DataFile> file = parse_data_file(text);
    if (!file) {
        std::string others;
        for (const DataFormat& format : data_formats)
            others += std::string(", ") + format.word + (format.folder ? ":DIR" : ":FILE");
        settings.data = read_word<Data>(text, data_choices, others.c_str());
        return;
    }
    std::error_code ignored;
    const DataFormat& format = *file->format;
    if (!(format.folder ? std::filesystem::is_directory(file->path, ignored)
                        : std::filesystem::is_regular_file(file->path, ignored)))
        throw Unfit(text, std::string(format.needs) + " after " + format.word + ":");
    settings.data = Data::file;
    settings.data_file = text;
}

std::string twin_count_text(const Settings& settings, size_t) {
    return std::to_string(settings.twins.size());
}

void read_twin_count(Settings& settings, size_t, const std::string& text) {
    set_twin_count(settings, read_number<uint32_t>(text, 1, limits::max_twins));
}

std::string norm_text(const Settings& settings, size_t twin) {
    const TwinSettings& its = settings.twins[twin];
    std::string text = word(its.norm_of(0));
    for (uint32_t layer = 1; layer < settings.hidden.size() && !its.exceptions.empty(); ++layer)
        text += std::string(",") + word(its.norm_of(layer));
    return text;
}

void read_norm(Settings& settings, size_t twin, const std::string& text) {
    const std::vector<std::string> words = split_at_commas(text);
    if (words.size() > 1 && !is_perceptron(settings))
        throw Unfit(text, std::string("one norm for all of ") + word(settings.model));
    if (words.size() > 1 && words.size() != settings.hidden.size())
        throw Unfit(text, "one norm, or one for each of " + std::to_string(settings.hidden.size()) +
                              " hidden layers");
    std::vector<vknorm::Norm> norms;
    norms.reserve(words.size());
    for (const std::string& one : words) norms.push_back(read_word<vknorm::Norm>(one, norm_choices));
    TwinSettings& its = settings.twins[twin];
    its.norm = norms[0];
    its.exceptions.clear();
    for (uint32_t layer = 1; layer < norms.size(); ++layer) its.set_norm_of(layer, norms[layer]);
}

std::string concealed_text(const Settings& settings, size_t) {
    std::string text;
    for (const std::string& one : settings.concealed) text += (text.empty() ? "" : ",") + one;
    return text;
}

void read_concealed(Settings& settings, size_t, const std::string& text) {
    std::set<std::string> known = {concealable::presets, concealable::experiments};
    for (const Field& field : fields) {
        known.insert(field.word);
        for (size_t twin = 0; is_of_twin(field) && twin < limits::max_twins; ++twin)
            known.insert(word_of(field, twin));
    }
    std::set<std::string> wanted;
    if (!text.empty())
        for (const std::string& one : split_at_commas(text)) {
            if (known.count(one) == 0)
                throw Unfit(one, "words of settings such as batch or norm-b, or presets, or experiments");
            wanted.insert(one);
        }
    settings.concealed = wanted;
}

}  // namespace lab
