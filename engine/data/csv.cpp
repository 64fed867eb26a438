#include "data/csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "data/file.hpp"

namespace vknorm {
namespace {

constexpr double max_label = 999;
constexpr double float_overflow = 0x1.ffffffp127;  // from here on float32 rounds to infinity

struct Field {
    std::string_view text;  ///< it has neither quotes nor the blanks around
    size_t column;          ///< it is that of the first byte, from 1
};

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// Makes a field short and printable, for messages.
std::string quoted(std::string_view text) {
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

/// Reads a field as a number; `finite` is false for nan, infinities and what overflows.
struct Number {
    double value = 0;
    bool is_number = false, finite = false;
};

Number parse_number(std::string_view text) {
    // from_chars takes no plus sign; numbers written by other programs have it.
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    Number number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.value);
    number.is_number = error != std::errc::invalid_argument && end == text.data() + text.size();
    number.finite = error == std::errc() && std::abs(number.value) < float_overflow;
    return number;
}

class Parser {
  public:
    Parser(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

    Dataset parse() {
        constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
        if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
        for (bool first = true; next_line();) {
            split_fields();
            if (first) {
                first_line_ = line_number_;
                width_ = fields_.size();
                first = false;
                if (is_header()) continue;
            }
            add_example();
        }
        if (data_.labels.empty()) fail(1, "got no example, needs at least one line of numbers");
        return std::move(data_);
    }

  private:
    [[noreturn]] void fail(size_t column, const std::string& what) const {
        throw FormatError(name_ + ":" + std::to_string(std::max<size_t>(line_number_, 1)) + ":" +
                          std::to_string(column) + ": " + what);
    }

    /// Advances to the next line that is not blank.
    bool next_line() {
        while (!rest_.empty()) {
            const size_t end = std::min(rest_.find('\n'), rest_.size());
            line_ = rest_.substr(0, end);
            rest_.remove_prefix(std::min(end + 1, rest_.size()));
            ++line_number_;
            if (line_.ends_with('\r')) line_.remove_suffix(1);
            if (!std::all_of(line_.begin(), line_.end(), is_blank)) return true;
        }
        return false;
    }

    void split_fields() {
        fields_.clear();
        for (size_t at = 0;; ++at) {
            while (at < line_.size() && is_blank(line_[at])) ++at;
            at = at < line_.size() && line_[at] == '"' ? take_quoted(at) : take_plain(at);
            if (at == line_.size()) return;
        }
    }

    /// Both take the field that starts at `begin` and return where the comma after it, or the line's end, is.
    size_t take_plain(size_t begin) {
        const size_t comma = std::min(line_.find(',', begin), line_.size());
        size_t end = comma;
        while (end > begin && is_blank(line_[end - 1])) --end;
        fields_.push_back({line_.substr(begin, end - begin), begin + 1});
        return comma;
    }
    size_t take_quoted(size_t begin) {
        size_t end = begin + 1;
        while (end < line_.size() && (line_[end] != '"' || line_.substr(end, 2) == "\"\""))
            end += line_[end] == '"' ? 2 : 1;
        if (end >= line_.size()) fail(begin + 1, "got a quote that is not closed on its line");
        fields_.push_back({line_.substr(begin + 1, end - begin - 1), begin + 2});
        ++end;
        while (end < line_.size() && is_blank(line_[end])) ++end;
        if (end < line_.size() && line_[end] != ',')
            fail(end + 1, "got " + quoted(line_.substr(end)) + " after a closing quote, needs a comma");
        return end;
    }

    bool is_header() const {
        return std::none_of(fields_.begin(), fields_.end(),
                            [](const Field& field) { return parse_number(field.text).is_number; });
    }

    void add_example() {
        if (fields_.size() != width_)
            fail(fields_.size() > width_ ? fields_[width_].column : line_.size() + 1,
                 "got " + std::to_string(fields_.size()) + " fields, needs " + std::to_string(width_) +
                     " as in line " + std::to_string(first_line_));
        if (width_ < 2) fail(1, "got 1 field, needs at least 2: a number and the label");
        for (size_t i = 0; i + 1 < width_; ++i)
            data_.inputs.push_back(static_cast<float>(value_of(fields_[i])));
        data_.labels.push_back(label_of(fields_.back()));
        data_.features = static_cast<uint32_t>(width_ - 1);
        data_.classes = std::max(data_.classes, data_.labels.back() + 1);
    }

    double value_of(const Field& field) const {
        const Number number = parse_number(field.text);
        if (!number.is_number) fail(field.column, "got " + quoted(field.text) + ", needs a number");
        if (!number.finite)
            fail(field.column,
                 "got " + quoted(field.text) + ", needs a finite number within the range of float32");
        return number.value;
    }

    uint32_t label_of(const Field& field) const {
        const double value = value_of(field);
        if (!(value >= 0 && value <= max_label && value == std::floor(value)))
            fail(field.column, "label: got " + quoted(field.text) + ", needs a class number, 0 to 999");
        return static_cast<uint32_t>(value);
    }

    std::string_view rest_, line_;
    const std::string& name_;
    size_t line_number_ = 0, first_line_ = 0, width_ = 0;
    std::vector<Field> fields_;
    Dataset data_;
};

}  // namespace

Dataset detail::parse_csv(std::string_view text, const std::string& name) {
    return Parser(text, name).parse();
}

Dataset read_csv(const std::filesystem::path& file) {
    const detail::Bytes bytes = detail::read_file(file);
    return detail::parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

}  // namespace vknorm
