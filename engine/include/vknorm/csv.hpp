// Tables of numbers with a column of classes, as spreadsheets and data frames write them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <vknorm/data.hpp>

namespace vknorm {

struct CsvOptions {
    /// The column of classes, by its name in the header or its number from 1. Empty: the one called label,
    /// class, target, species or y, in any case and in this order; else the last one.
    std::string label{};
    /// No file may be larger, decompressed, nor its numbers as float32.
    uint64_t max_bytes = default_max_bytes;
};

/// How a table was read. Columns are numbered from 1.
struct CsvLayout {
    char separator = ',';
    bool decimal_comma = false;
    std::vector<std::string> columns;  ///< their names; empty: the file has no header
    size_t label_column = 0;
    size_t row_number_column = 0;  ///< counts the rows, and is no feature; 0: there is none
};

struct CsvData {
    Dataset data;
    CsvLayout layout;
};

/// One example a line: numbers, rounded to float32, and a class. Classes are the distinct labels of the file,
/// in ascending order, and their names: words, or whole numbers.
///
/// What is found out: the separator (comma, semicolon or tab; a first line "sep=;" says it), decimal commas
/// where the separator is another, gzip compression. A first line without a number is a header; so is one
/// whose numbers count 0, 1, 2, ... or 1, 2, 3, ..., of three columns at least. A first column that counts
/// the rows from 0 or 1, five at least, is no feature. Accepted: UTF-8 byte order mark, CRLF, fields in
/// double quotes, blanks around fields, blank lines, whatever the locale. Numbers too small for float32 are
/// 0.
///
/// Throws FormatError with file:line:column (in bytes, from 1) for ragged rows, empty fields, nan, inf,
/// numbers too large for float32, text that is no number, more than 1000 classes, a label that is a fraction,
/// other encodings than UTF-8; TooLarge above options.max_bytes.
CsvData read_csv(const std::filesystem::path& file, const CsvOptions& options = {});

}  // namespace vknorm
