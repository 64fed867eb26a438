// The lines of a table in memory, split into fields.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vknorm::detail {

struct CsvField {
    std::string_view text;  ///< it has neither quotes nor the blanks around; quotes in it are still doubled
    size_t column;          ///< it is that of the first byte, from 1
};

/// A field as a number. Comma and point both stand for the decimal mark, where `decimal_comma` allows the
/// first.
struct CsvNumber {
    double value = 0;
    bool is_number = false;
    bool finite = false;  ///< it is not for nan, infinities and what float32 cannot hold
    char mark = 0;        ///< the decimal mark that is in it; 0: none
};
CsvNumber parse_number(std::string_view text, bool decimal_comma);

/// Makes a field short and printable, for messages.
std::string in_quotes(std::string_view text);
/// Of a quoted field, with its doubled quotes made single ones.
std::string unquoted(std::string_view text);

/// Goes through a table line by line; blank lines, and those whose fields are all empty, are passed over.
class CsvLines {
  public:
    /// Finds the separator; both arguments must outlive this. Throws FormatError for text that is no UTF-8,
    /// and for a separator that is none of ours.
    CsvLines(std::string_view text, const std::string& name);

    char separator() const { return separator_; }
    /// Splits the next line; false: there is none.
    bool next();
    const std::vector<CsvField>& fields() const { return fields_; }
    size_t line_number() const { return line_number_; }  ///< from 1
    size_t line_bytes() const { return line_.size(); }

    /// Throws FormatError about a place in the line.
    [[noreturn]] void fail(size_t column, const std::string& what) const;

  private:
    bool next_line();
    void split();
    size_t take_plain(size_t begin);
    size_t take_quoted(size_t begin);
    void take_separator_line();
    bool is_blank(char c) const { return c == ' ' || (c == '\t' && separator_ != '\t'); }

    std::string_view rest_, line_;
    const std::string& name_;
    char separator_ = ',';
    size_t line_number_ = 0;
    std::vector<CsvField> fields_;
};

}  // namespace vknorm::detail
