#include "app/experiment/settings.hpp"

#include <array>
#include <numeric>

namespace lab {

bool is_planar(Data data) {
    return data != Data::digits && data != Data::file;
}

uint64_t examples_per_step(const Settings& settings) {
    return uint64_t{settings.batch} * settings.accumulate;
}

bool has_norm(const Settings& settings, size_t twin, vknorm::Norm norm) {
    for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
        if (settings.twins[twin].norm_of(layer) == norm) return true;
    return false;
}

bool depends_on_batch(const Settings& settings, size_t twin) {
    for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
        if (vknorm::keeps_running_statistics(settings.twins[twin].norm_of(layer))) return true;
    return false;
}

uint32_t most_groups(const Settings& settings, size_t twin) {
    uint32_t most = 0;
    for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
        if (settings.twins[twin].norm_of(layer) == vknorm::Norm::group)
            most = std::gcd(most, settings.hidden[layer]);
    return most;
}

void set_twin_count(Settings& settings, size_t count) {
    constexpr std::array<vknorm::Norm, limits::max_twins> norms = {vknorm::Norm::batch, vknorm::Norm::none,
                                                                   vknorm::Norm::layer, vknorm::Norm::group};
    const TwinSettings first = settings.twins.front();
    for (size_t twin = settings.twins.size(); twin < count; ++twin)
        settings.twins.push_back({norms[twin], first.activation, first.groups, first.ghost_size});
    settings.twins.resize(count);
}

void keep_norms_valid(Settings& settings) {
    for (size_t twin = 0; twin < settings.twins.size(); ++twin) {
        TwinSettings& its = settings.twins[twin];
        its.exceptions.erase(its.exceptions.lower_bound(static_cast<uint32_t>(settings.hidden.size())),
                             its.exceptions.end());
        const uint32_t most = most_groups(settings, twin);
        while (most > 0 && (its.groups > most || most % its.groups != 0)) --its.groups;
    }
}

std::optional<DataFile> parse_data_file(const std::string& text) {
    const bool pictures = text.starts_with("idx:");
    if (!pictures && !text.starts_with("csv:")) return std::nullopt;
    const std::string path = text.substr(4);
    const size_t mark = path.rfind('#');
    std::error_code ignored;
    if (mark == std::string::npos || std::filesystem::exists(path, ignored))
        return DataFile{pictures, path, ""};
    return DataFile{pictures, path.substr(0, mark), path.substr(mark + 1)};
}

std::string data_text(const Settings& settings, size_t) {
    return settings.data == Data::file ? settings.data_file : word(settings.data);
}

void read_data(Settings& settings, size_t, const std::string& text) {
    const std::optional<DataFile> file = parse_data_file(text);
    if (!file) {
        settings.data = read_word<Data>(text, data_choices, ", idx:DIR, csv:FILE");
        return;
    }
    std::error_code ignored;
    if (file->pictures && !std::filesystem::is_directory(file->path, ignored))
        throw Unfit(text, "a directory with a pair of IDX files after idx:");
    if (!file->pictures && !std::filesystem::is_regular_file(file->path, ignored))
        throw Unfit(text, "a file with a table of numbers after csv:");
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
    if (words.size() > 1 && words.size() != settings.hidden.size())
        throw Unfit(text, "one norm, or one for each of " + std::to_string(settings.hidden.size()) +
                              " hidden layers");
    std::vector<vknorm::Norm> norms;
    for (const std::string& one : words) norms.push_back(read_word<vknorm::Norm>(one, norm_choices));
    TwinSettings& its = settings.twins[twin];
    its.norm = norms[0];
    its.exceptions.clear();
    for (uint32_t layer = 1; layer < norms.size(); ++layer) its.set_norm_of(layer, norms[layer]);
}

}  // namespace lab
