#include "data/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <utility>

#include <vknorm/file.hpp>

namespace vknorm::detail {

namespace {

constexpr uint32_t first_high_surrogate = 0xd800, first_low_surrogate = 0xdc00, last_surrogate = 0xdfff;
constexpr uint32_t first_beyond_16_bits = 0x10000;

/// Counts the bytes of the character that `text`, which is not empty, begins with; 0 when that is not UTF-8:
/// overlong forms, surrogates and what is beyond U+10FFFF are not (RFC 3629).
size_t utf8_bytes(std::string_view text) {
    const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const unsigned lead = byte(0), second = byte(1);
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    for (size_t i = 1; i < bytes; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool surrogate = lead == 0xed && second > 0x9f;
    const bool beyond = lead == 0xf4 && second > 0x8f;
    return overlong || surrogate || beyond ? 0 : bytes;
}

void append_utf8(std::string& text, uint32_t character) {
    const auto append = [&](uint32_t byte) { text += static_cast<char>(byte); };
    if (character < 0x80) return append(character);
    if (character < 0x800) {
        append(0xc0 | character >> 6);
    } else if (character < first_beyond_16_bits) {
        append(0xe0 | character >> 12);
        append(0x80 | (character >> 6 & 0x3f));
    } else {
        append(0xf0 | character >> 18);
        append(0x80 | (character >> 12 & 0x3f));
        append(0x80 | (character >> 6 & 0x3f));
    }
    append(0x80 | (character & 0x3f));
}

bool is_digit(char character) {
    return character >= '0' && character <= '9';
}

bool is_control(char character) {
    return static_cast<unsigned char>(character) < 0x20;
}

/// These letters stand after a backslash, and this is what each pair means.
constexpr std::array<std::pair<char, char>, 8> escapes{
    {{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', '\b'}, {'f', '\f'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'}}};

}  // namespace

std::string json_string(std::string_view text) {
    std::string result = "\"";
    for (size_t at = 0; at < text.size();) {
        const size_t bytes = utf8_bytes(text.substr(at));
        if (bytes == 0)
            throw std::invalid_argument("JSON: text: got byte " + std::to_string(at) +
                                        " that is not UTF-8, needs UTF-8");
        const char character = text[at];
        const auto* known = std::ranges::find(escapes, character, &std::pair<char, char>::second);
        if (known != escapes.end() && character != '/') {
            result += {'\\', known->first};
        } else if (is_control(character)) {
            std::array<char, 7> quad{};
            std::snprintf(quad.data(), quad.size(), "\\u%04x", static_cast<unsigned>(character));
            result += quad.data();
        } else {
            result += text.substr(at, bytes);
        }
        at += bytes;
    }
    return result + '"';
}

JsonReader::JsonReader(std::string_view text, std::string where, int most_depth)
    : text_(text), where_(std::move(where)), depth_left_(most_depth), most_depth_(most_depth) {}

void JsonReader::fail(const std::string& what) const {
    throw FormatError(where_ + ": is no JSON: " + what + " at byte " + std::to_string(at_));
}

void JsonReader::skip_space() {
    at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size());
}

char JsonReader::next() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
}

bool JsonReader::take(char character) {
    if (at_ == text_.size() || text_[at_] != character) return false;
    ++at_;
    return true;
}

void JsonReader::require(char character) {
    skip_space();
    if (!take(character)) fail(std::string("no ") + character);
}

std::string_view JsonReader::value() {
    const char first = next();
    const size_t begin = at_;
    switch (first) {
        case '{':
            return object([this](const std::string&) { value(); });
        case '[':
            return array([this] { value(); });
        case '"':
            string();
            break;
        case 't':
            literal("true");
            break;
        case 'f':
            literal("false");
            break;
        case 'n':
            literal("null");
            break;
        default:
            number();
    }
    return since(begin);
}

void JsonReader::enter() {
    if (depth_left_-- == 0)
        throw FormatError(where_ + ": values are nested more than " + std::to_string(most_depth_) + " deep");
}

void JsonReader::leave(char bracket) {
    require(bracket);
    ++depth_left_;
}

std::string_view JsonReader::object(const std::function<void(const std::string& key)>& member) {
    skip_space();
    const size_t begin = at_;
    require('{');
    enter();
    std::set<std::string> keys;
    if (next() != '}') {
        do {
            const auto [key, added] = keys.insert(string());
            if (!added) throw FormatError(where_ + ": the key '" + *key + "' stands there twice");
            require(':');
            member(*key);
            skip_space();
        } while (take(','));
    }
    leave('}');
    return since(begin);
}

std::string_view JsonReader::array(const std::function<void()>& element) {
    skip_space();
    const size_t begin = at_;
    require('[');
    enter();
    if (next() != ']') {
        do {
            element();
            skip_space();
        } while (take(','));
    }
    leave(']');
    return since(begin);
}

std::string JsonReader::string() {
    require('"');
    std::string result;
    while (!take('"')) {
        if (at_ == text_.size()) fail("a string does not end");
        if (is_control(text_[at_])) fail("a control character in a string");
        if (take('\\')) {
            escape(result);
            continue;
        }
        const size_t bytes = utf8_bytes(text_.substr(at_));
        if (bytes == 0) fail("no UTF-8");
        result += text_.substr(at_, bytes);
        at_ += bytes;
    }
    return result;
}

void JsonReader::escape(std::string& result) {
    if (take('u')) {
        uint32_t character = hexadecimal_quad();
        // What 16 bits do not hold comes as two surrogates, which mean nothing alone.
        if (character >= first_low_surrogate && character <= last_surrogate) fail("a lone surrogate");
        if (character >= first_high_surrogate && character < first_low_surrogate) {
            const bool escaped = take('\\') && take('u');
            const uint32_t low = escaped ? hexadecimal_quad() : 0;
            if (low < first_low_surrogate || low > last_surrogate) fail("a lone surrogate");
            character = first_beyond_16_bits + ((character - first_high_surrogate) << 10) +
                        (low - first_low_surrogate);
        }
        return append_utf8(result, character);
    }
    for (const auto& [letter, meaning] : escapes) {
        if (!take(letter)) continue;
        result += meaning;
        return;
    }
    fail("an unknown escape");
}

uint32_t JsonReader::hexadecimal_quad() {
    const std::string_view quad = text_.substr(at_, 4);
    uint32_t number = 0;
    const char* end = quad.data() + quad.size();
    if (quad.size() != 4 || std::from_chars(quad.data(), end, number, 16).ptr != end)
        fail("no four hexadecimal digits");
    at_ += quad.size();
    return number;
}

void JsonReader::digits() {
    const size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    if (at_ == begin) fail(begin == text_.size() ? "the text ends" : "no value");
}

void JsonReader::number() {
    take('-');
    if (!take('0')) digits();  // nothing follows a leading 0
    if (take('.')) digits();
    if (take('e') || take('E')) {
        if (!take('-')) take('+');
        digits();
    }
}

void JsonReader::literal(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) fail("no value");
    at_ += word.size();
}

void JsonReader::end() {
    skip_space();
    if (at_ != text_.size()) fail("something follows the value");
}

}  // namespace vknorm::detail
