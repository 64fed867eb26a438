#include "app/experiment/event_file.hpp"

#include <bit>
#include <chrono>
#include <stdexcept>

namespace lab {

namespace {

/// The type of a protocol buffer's field.
enum class Wire { varint = 0, eight_bytes = 1, bytes = 2, four_bytes = 5 };

template <class T>
std::string little_endian(T value) {
    std::string bytes;
    for (size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>((value >> 8 * i) & 255);
    return bytes;
}

std::string varint(uint64_t value) {
    std::string bytes;
    for (; value >= 128; value >>= 7) bytes += static_cast<char>((value & 127) | 128);
    return bytes + static_cast<char>(value);
}

std::string key(uint32_t number, Wire wire) {
    return varint((number << 3) | static_cast<uint32_t>(wire));
}
std::string field(uint32_t number, double value) {
    return key(number, Wire::eight_bytes) + little_endian(std::bit_cast<uint64_t>(value));
}
std::string field(uint32_t number, float value) {
    return key(number, Wire::four_bytes) + little_endian(std::bit_cast<uint32_t>(value));
}
std::string field(uint32_t number, uint64_t value) {
    return key(number, Wire::varint) + varint(value);
}
std::string field(uint32_t number, const std::string& bytes) {
    return key(number, Wire::bytes) + varint(bytes.size()) + bytes;
}

std::string masked_crc(std::string_view bytes) {
    const uint32_t crc = crc32c(bytes);
    return little_endian(std::rotr(crc, 15) + 0xA282EAD8u);
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
    uint32_t crc = ~0u;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

EventFile::EventFile(std::filesystem::path file)
    : file_(std::move(file)), stream_(file_, std::ios::binary | std::ios::trunc) {
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    add_record(field(1, now) + field(3, std::string("brain.Event:2")));
    flush();
}

void EventFile::add(uint64_t step, double wall_time, std::span<const std::pair<std::string, float>> scalars) {
    std::string summary;
    for (const auto& [name, value] : scalars) summary += field(1, field(1, name) + field(2, value));
    add_record(field(1, wall_time) + field(2, step) + field(5, summary));
}

void EventFile::add_record(const std::string& message) {
    const std::string length = little_endian(uint64_t{message.size()});
    stream_ << length << masked_crc(length) << message << masked_crc(message);
}

void EventFile::flush() {
    if (!stream_.flush()) throw std::runtime_error(file_.string() + ": cannot be written");
}

}  // namespace lab
