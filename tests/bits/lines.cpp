// The text of a recording: digests, and files of one result a line.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "bits/bits.hpp"

namespace vknorm::bits {

std::string digest(std::span<const std::byte> bytes) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001b3;
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    return text;
}

void Lines::add(const std::string& key, const std::string& value) {
    if (key.find(": ") != std::string::npos ||
        std::ranges::any_of(lines_, [&](const auto& line) { return line.first == key; }))
        throw std::logic_error("two results, or none, would be called " + key);
    lines_.emplace_back(key, value);
}

void Lines::write(const std::filesystem::path& file) const {
    std::ofstream stream(file);
    for (const auto& [key, value] : lines_) stream << key << ": " << value << '\n';
    if (!stream.flush()) throw std::runtime_error(file.string() + ": cannot be written");
}

}  // namespace vknorm::bits
