#include "data/csv_lines.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <locale>
#include <sstream>

#include <vknorm/file.hpp>

namespace vknorm::detail {

namespace {

constexpr double float_overflow = 0x1.ffffffp127;  // from here on float32 rounds to infinity
constexpr std::string_view separators = ",;\t";
constexpr size_t most_columns = 1'000'000;  // of bytes without sense there may be more, and memory has an end

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const size_t begin = std::min(text.find_first_not_of(blanks), text.size());
    return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

/// "UTF-16" or another encoding with zero bytes in plain text; empty for others.
std::string wide_encoding(std::string_view text) {
    using namespace std::string_view_literals;
    if (text.starts_with("\xff\xfe\0\0"sv) || text.starts_with("\0\0\xfe\xff"sv)) return "UTF-32";
    if (text.starts_with("\xff\xfe"sv) || text.starts_with("\xfe\xff"sv)) return "UTF-16";
    const auto zero = [&](size_t at) { return at < text.size() && text[at] == '\0'; };
    const bool little = !zero(0) && zero(1) && zero(3), big = zero(0) && !zero(1) && zero(2);
    return little || big ? "UTF-16" : "";
}

/// How many fields of the line are numbers when `separator` divides it.
size_t count_numbers(std::string_view line, char separator) {
    size_t numbers = 0;
    bool quotes = false;
    for (size_t begin = 0, at = 0; at <= line.size(); ++at) {
        if (at < line.size() && line[at] == '"') quotes = !quotes;
        if (at < line.size() && (quotes || line[at] != separator)) continue;
        std::string_view field = trimmed(line.substr(begin, at - begin));
        if (field.size() > 1 && field.front() == '"' && field.back() == '"')
            field = trimmed(field.substr(1, field.size() - 2));
        numbers += parse_number(field, separator != ',').is_number;
        begin = at + 1;
    }
    return numbers;
}

/// The separator that makes the most numbers of the first lines, or else the most fields.
char find_separator(std::string_view text) {
    constexpr size_t lines = 10, most_bytes = size_t{1} << 20;
    text = text.substr(0, most_bytes);
    std::array<size_t, separators.size()> numbers{}, fields{};
    for (size_t line = 0; line < lines && !text.empty(); ++line) {
        const size_t end = std::min(text.find('\n'), text.size());
        for (size_t i = 0; i < separators.size(); ++i) {
            numbers[i] += count_numbers(text.substr(0, end), separators[i]);
            fields[i] += static_cast<size_t>(
                std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(end), separators[i]));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    const auto& counts = *std::max_element(numbers.begin(), numbers.end()) > 0 ? numbers : fields;
    return separators[static_cast<size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin())];
}

/// Whether a number that float64 cannot hold is too small rather than too large.
bool underflows(const std::string& text) {
    std::istringstream stream(text);
    stream.imbue(std::locale::classic());
    double value = 0;
    stream >> value;
    return std::abs(value) < 1;
}

}  // namespace

CsvNumber parse_number(std::string_view text, bool decimal_comma) {
    CsvNumber number;
    std::string with_point;
    const size_t mark = text.find_first_of(decimal_comma ? ".," : ".");
    if (mark != text.npos) number.mark = text[mark];
    if (number.mark == ',') {
        with_point = text;
        with_point[mark] = '.';
        text = with_point;
    }
    // from_chars takes no plus sign; numbers written by other programs have it.
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.value);
    number.is_number = error != std::errc::invalid_argument && end == text.data() + text.size();
    if (!number.is_number) return number;
    if (error == std::errc::result_out_of_range && underflows(std::string(text)))
        number.finite = true;  // and its value is 0
    else
        number.finite = error == std::errc() && std::abs(number.value) < float_overflow;
    return number;
}

std::string in_quotes(std::string_view text) {
    constexpr size_t most = 40;
    std::string shown = "'";
    for (const char c : text.substr(0, most)) {
        if (c >= ' ' && c <= '~') {
            shown += c;
        } else {
            std::array<char, 5> escape;
            std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(c));
            shown += escape.data();
        }
    }
    return shown + (text.size() > most ? "...'" : "'");
}

std::string unquoted(std::string_view text) {
    std::string plain;
    for (size_t at = 0; at < text.size(); ++at) {
        plain += text[at];
        if (text.substr(at, 2) == "\"\"") ++at;
    }
    return plain;
}

CsvLines::CsvLines(std::string_view text, const std::string& name) : rest_(text), name_(name) {
    if (const std::string encoding = wide_encoding(text); !encoding.empty())
        fail(1, "got " + encoding + " text, needs UTF-8, as spreadsheets save it when asked to");
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf", zip = "PK\x03\x04";
    if (text.starts_with(zip)) fail(1, "got a zip archive or a workbook, needs the text of a table");
    if (text.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
    separator_ = find_separator(rest_);
    take_separator_line();
}

/// Spreadsheets write "sep=;" before the table.
void CsvLines::take_separator_line() {
    CsvLines ahead = *this;
    if (!ahead.next_line()) return;
    constexpr std::string_view word = "sep=";
    const size_t at = ahead.line_.starts_with('"') ? 1 : 0;
    if (ahead.line_.substr(at, word.size()) != word) return;
    const std::string_view said = ahead.line_.substr(at + word.size(), 1);
    if (said.empty() || separators.find(said[0]) == separators.npos)
        ahead.fail(at + word.size() + 1,
                   "got the separator " + in_quotes(said) + ", needs a comma, a semicolon or a tab");
    separator_ = said[0];
    rest_ = ahead.rest_;
    line_number_ = ahead.line_number_;
}

void CsvLines::fail(size_t column, const std::string& what) const {
    throw FormatError(name_ + ":" + std::to_string(std::max<size_t>(line_number_, 1)) + ":" +
                      std::to_string(column) + ": " + what);
}

bool CsvLines::next() {
    while (next_line()) {
        split();
        if (std::any_of(fields_.begin(), fields_.end(),
                        [](const CsvField& field) { return !field.text.empty(); }))
            return true;
    }
    return false;
}

/// Advances to the next line that is not blank.
bool CsvLines::next_line() {
    while (!rest_.empty()) {
        const size_t end = std::min(rest_.find('\n'), rest_.size());
        line_ = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        ++line_number_;
        if (line_.ends_with('\r')) line_.remove_suffix(1);
        if (!trimmed(line_).empty()) return true;
    }
    return false;
}

void CsvLines::split() {
    fields_.clear();
    for (size_t at = 0;; ++at) {
        while (at < line_.size() && is_blank(line_[at])) ++at;
        if (fields_.size() == most_columns)
            fail(at + 1, "got more than " + std::to_string(most_columns) + " columns, needs fewer");
        at = at < line_.size() && line_[at] == '"' ? take_quoted(at) : take_plain(at);
        if (at == line_.size()) return;
    }
}

/// Both take the field that starts at `begin` and return where the separator after it, or the line's end, is.
size_t CsvLines::take_plain(size_t begin) {
    const size_t separator = std::min(line_.find(separator_, begin), line_.size());
    size_t end = separator;
    while (end > begin && is_blank(line_[end - 1])) --end;
    fields_.push_back({line_.substr(begin, end - begin), begin + 1});
    return separator;
}

size_t CsvLines::take_quoted(size_t begin) {
    size_t end = begin + 1;
    while (end < line_.size() && (line_[end] != '"' || line_.substr(end, 2) == "\"\""))
        end += line_[end] == '"' ? 2 : 1;
    if (end >= line_.size()) fail(begin + 1, "got a quote that is not closed on its line");
    fields_.push_back({line_.substr(begin + 1, end - begin - 1), begin + 2});
    ++end;
    while (end < line_.size() && is_blank(line_[end])) ++end;
    if (end < line_.size() && line_[end] != separator_)
        fail(end + 1, "got " + in_quotes(line_.substr(end)) + " after a closing quote, needs a separator");
    return end;
}

}  // namespace vknorm::detail
