// The text of a recording: digests, and files of one result a line.
#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include <vknorm/file.hpp>

#include "bits/bits.hpp"
#include "data/hash.hpp"

namespace vknorm::bits {

std::string digest(std::span<const std::byte> bytes) {
    detail::Fnv1a hash;
    for (const std::byte byte : bytes) hash.add(static_cast<uint64_t>(byte));
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash.value()));
    return text;
}

void Lines::add(const std::string& key, const std::string& value) {
    if (key.find(": ") != std::string::npos ||
        std::ranges::any_of(lines_, [&](const auto& line) { return line.first == key; }))
        throw std::logic_error("two results, or none, would be called " + key);
    lines_.emplace_back(key, value);
}

void Lines::write(const std::filesystem::path& file) const {
    std::string text;
    for (const auto& [key, value] : lines_) text += key + ": " + value + '\n';
    write_file(file, text);
}

}  // namespace vknorm::bits
