#include "ops/norm/tuning_file.hpp"

#include <array>
#include <cstdio>
#include <span>

#include "data/file.hpp"
#include "data/file_replacement.hpp"
#include "data/hash.hpp"
#include "ops/norm/tune.hpp"
#include "ops/norm/tuning.hpp"

namespace vknorm {

namespace detail {

namespace {

namespace fs = std::filesystem;

/// One more whenever kernels, or what is varied, change so much that one should measure again.
constexpr int generation = 1;

/// The first line, for people, and so that chance does not lead to another device's file.
std::string heading(const DeviceInfo& info) {
    return "vknorm " + std::to_string(generation) + ", " + info.name + ", " + info.driver + ", " +
           std::to_string(info.driver_version);
}

uint64_t hash_of(const std::string& text) {
    Fnv1a hash;
    for (const unsigned char byte : text) hash.add(byte);
    return hash.value();
}

std::string hexadecimal(uint64_t number) {
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
    return text.data();
}

/// Nothing where there is no file, or none that was written here for this device.
std::optional<Tuning> read(const fs::path& file, const Device& device) {
    constexpr size_t most_bytes = 4096;
    std::error_code error;
    if (!fs::exists(file, error)) return std::nullopt;
    std::string text;
    try {
        const Bytes bytes = read_file(file, most_bytes);
        text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    } catch (const FormatError&) {  // it is too large
        return std::nullopt;
    }
    const std::string first = heading(device.info()) + "\n";
    if (!text.starts_with(first) || !text.ends_with('\n')) return std::nullopt;
    const std::optional<Tuning> tuning = tuning_of(text.substr(first.size(), text.size() - first.size() - 1));
    if (!tuning || !complaint(*tuning, device.capabilities()).empty()) return std::nullopt;
    return tuning;
}

}  // namespace

fs::path tuning_file(const fs::path& folder, const DeviceInfo& info) {
    return folder / (info.uuid_text() + "-" + hexadecimal(hash_of(heading(info))) + ".tuning");
}

Tuning kept_tuning(Device& device, const fs::path& folder,
                   const std::function<std::optional<Tuning>()>& measure) {
    const fs::path file = tuning_file(folder, device.info());
    if (const std::optional<Tuning> kept = read(file, device)) return *kept;
    make_folder(folder);
    FileReplacement replacement(file);
    const std::optional<Tuning> measured = measure();
    if (!measured) return device.tuning();
    const std::string text = heading(device.info()) + "\n" + measured->text() + "\n";
    replacement.finish(std::as_bytes(std::span(text)));
    return *measured;
}

}  // namespace detail

Tuner tuned_in(std::filesystem::path folder, TuningObserver observer) {
    return [folder = std::move(folder), observer = std::move(observer)](Device& device) {
        return detail::kept_tuning(device, folder, [&] {
            return detail::fastest_tuning(device, detail::measured_shapes(device.capabilities()), observer);
        });
    };
}

}  // namespace vknorm
