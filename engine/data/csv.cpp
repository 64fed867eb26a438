#include "data/csv.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <unordered_map>
#include <utility>

#include "data/csv_lines.hpp"
#include "data/file.hpp"

namespace vknorm {
namespace {

using detail::CsvField;
using detail::CsvLines;
using detail::CsvNumber;
using detail::in_quotes;

constexpr size_t most_classes = 1000;
// In lower case; earlier ones win.
constexpr std::array label_names = {"label", "class", "target", "species", "y"};

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lower;
}

bool is_label_name(std::string_view text) {
    return std::find(label_names.begin(), label_names.end(), lower_case(text)) != label_names.end();
}

/// The classes found so far; labels are numbered in the order of their appearance at first.
class Classes {
  public:
    /// `text` must outlive this.
    uint32_t index_of(std::string_view text) {
        return indices_.try_emplace(text, static_cast<uint32_t>(indices_.size())).first->second;
    }
    size_t size() const { return indices_.size(); }

    /// Names the classes in ascending order, numbers by their values, and numbers the labels so.
    void finish(Dataset& data) const {
        // Equal numbers are one class, however they are written: 1, 1.0 and +1.
        std::map<std::pair<double, std::string>, std::vector<uint32_t>> sorted;
        for (const auto& [text, index] : indices_) {
            const CsvNumber number = detail::parse_number(text, true);
            if (number.is_number)
                sorted[{number.value, std::to_string(static_cast<int64_t>(number.value))}].push_back(index);
            else
                sorted[{HUGE_VAL, detail::unquoted(text)}].push_back(index);
        }
        std::vector<uint32_t> class_of(indices_.size());
        for (const auto& [key, indices] : sorted) {
            for (const uint32_t index : indices)
                class_of[index] = static_cast<uint32_t>(data.class_names.size());
            data.class_names.push_back(key.second);
        }
        for (uint32_t& label : data.labels) label = class_of[label];
        data.classes = static_cast<uint32_t>(data.class_names.size());
    }

  private:
    std::unordered_map<std::string_view, uint32_t> indices_;
};

class Parser {
  public:
    Parser(std::string_view text, const std::string& name, const CsvOptions& options)
        : lines_(text, name), name_(name), options_(options) {}

    CsvData parse() {
        if (!lines_.next()) lines_.fail(1, no_example);
        layout_.separator = lines_.separator();
        first_line_ = lines_.line_number();
        width_ = lines_.fields().size();
        if (is_header())
            for (const CsvField& field : lines_.fields())
                layout_.columns.push_back(detail::unquoted(field.text));
        if (width_ < 2)
            lines_.fail(1,
                        "got 1 field, needs at least 2, a number and the label, with a comma, a semicolon "
                        "or a tab between them");
        layout_.label_column = find_label();
        if (layout_.columns.empty() || lines_.next()) {
            do add_example();
            while (lines_.next());
        }
        if (data_.labels.empty()) lines_.fail(1, no_example);
        data_.features = static_cast<uint32_t>(width_ - 1);
        if (counts_rows()) drop_first_column();
        classes_.finish(data_);
        return {std::move(data_), std::move(layout_)};
    }

  private:
    static constexpr const char* no_example = "got no example, needs at least one line of numbers";

    CsvNumber number(const CsvField& field) const {
        return detail::parse_number(field.text, layout_.separator != ',');
    }

    /// Whether the first line names the columns: it has no number, or its numbers count from 0 or 1 and its
    /// words stand over numbers.
    bool is_header() const {
        const std::vector<CsvField>& fields = lines_.fields();
        CsvLines ahead = lines_;
        const bool alone = !ahead.next();
        std::vector<double> numbers;
        bool over_words = false;
        for (size_t i = 0; i < fields.size(); ++i) {
            const CsvNumber here = number(fields[i]);
            if (here.is_number)
                numbers.push_back(here.value);
            else if (!alone && i < ahead.fields().size() && !fields[i].text.empty())
                over_words |= !is_label_name(fields[i].text) && !number(ahead.fields()[i]).is_number;
        }
        if (numbers.empty()) return true;
        const bool counts = (numbers[0] == 0 || numbers[0] == 1) &&
                            std::adjacent_find(numbers.begin(), numbers.end(), [](double a, double b) {
                                return b != a + 1;
                            }) == numbers.end();
        constexpr size_t least = 3;  // fewer may be an example
        return !alone && counts && fields.size() >= least && !over_words;
    }

    /// The only column with that name, by `same`; 0: there is none.
    template <class Same>
    size_t column_named(const std::string& wanted, Same same) const {
        size_t found = 0;
        for (size_t i = 0; i < layout_.columns.size(); ++i) {
            if (!same(layout_.columns[i])) continue;
            if (found != 0)
                lines_.fail(lines_.fields()[i].column, "got two columns called " + in_quotes(wanted) +
                                                           ", needs the number of the one with the labels");
            found = i + 1;
        }
        return found;
    }
    size_t column_in_any_case(const std::string& wanted) const {
        return column_named(wanted, [lower = lower_case(wanted)](const std::string& name) {
            return lower_case(name) == lower;
        });
    }

    size_t find_label() const {
        const std::string& wanted = options_.label;
        if (wanted.empty()) {
            for (const char* usual : label_names)
                if (const size_t column = column_in_any_case(usual)) return column;
            return width_;
        }
        if (const size_t column =
                column_named(wanted, [&](const std::string& name) { return name == wanted; }))
            return column;
        if (const size_t column = column_in_any_case(wanted)) return column;
        size_t column = 0;
        const char* const end = wanted.data() + wanted.size();
        const auto [stopped, error] = std::from_chars(wanted.data(), end, column);
        if (error == std::errc() && stopped == end && column >= 1 && column <= width_) return column;
        std::string there;
        constexpr size_t most = 12;
        for (size_t i = 0; i < std::min(layout_.columns.size(), most); ++i)
            there += (i == 0 ? "" : ", ") + in_quotes(layout_.columns[i]);
        if (layout_.columns.size() > most) there += ", ...";
        lines_.fail(1, "label: got " + in_quotes(wanted) + ", needs a column from 1 to " +
                           std::to_string(width_) + (there.empty() ? "" : ", or one of " + there));
    }

    std::string column_text(size_t column) const {
        return std::to_string(column) +
               (layout_.columns.empty() ? "" : " (" + in_quotes(layout_.columns[column - 1]) + ")");
    }

    void add_example() {
        const std::vector<CsvField>& fields = lines_.fields();
        if (fields.size() != width_)
            lines_.fail(fields.size() > width_ ? fields[width_].column : lines_.line_bytes() + 1,
                        "got " + std::to_string(fields.size()) + " fields, needs " + std::to_string(width_) +
                            " as in line " + std::to_string(first_line_));
        const size_t label = layout_.label_column - 1;
        for (size_t i = 0; i < width_; ++i)
            if (i != label) data_.inputs.push_back(static_cast<float>(value_of(fields[i])));
        data_.labels.push_back(label_of(fields[label]));
        if (data_.inputs.size() * sizeof(float) > options_.max_bytes)
            throw TooLarge(name_ + ": got more than " + std::to_string(options_.max_bytes / sizeof(float)) +
                           " numbers, which are " + std::to_string(options_.max_bytes) + " bytes as float32");
    }

    double value_of(const CsvField& field) {
        const CsvNumber here = number(field);
        if (!here.is_number) lines_.fail(field.column, "got " + in_quotes(field.text) + ", needs a number");
        if (!here.finite)
            lines_.fail(field.column, "got " + in_quotes(field.text) +
                                          ", needs a finite number within the range of float32");
        if (here.mark != 0 && mark_ == 0) mark_ = here.mark, mark_line_ = lines_.line_number();
        if (here.mark != 0 && here.mark != mark_)
            lines_.fail(field.column, "got " + in_quotes(field.text) + ", needs a decimal " +
                                          (mark_ == ',' ? "comma" : "point") + " as in line " +
                                          std::to_string(mark_line_));
        layout_.decimal_comma = mark_ == ',';
        return here.value;
    }

    uint32_t label_of(const CsvField& field) {
        const size_t before = classes_.size();
        const uint32_t index = classes_.index_of(field.text);
        if (classes_.size() == before) return index;
        const std::string which = "label, column " + column_text(layout_.label_column) + ": got ";
        const CsvNumber here = detail::parse_number(field.text, true);
        constexpr double most = 9007199254740992;  // up to there float64 has every whole number
        const bool whole =
            here.finite && std::abs(here.value) <= most && here.value == std::floor(here.value);
        if (field.text.empty() || (here.is_number && !whole))
            lines_.fail(field.column,
                        which + in_quotes(field.text) + ", needs a class: a word or a whole number");
        if (classes_.size() > most_classes)
            lines_.fail(field.column, which + "more than " + std::to_string(most_classes) +
                                          " classes, needs another column or fewer");
        return index;
    }

    bool counts_rows() const {
        constexpr size_t least = 5;  // of fewer rows, numbers may count by chance
        const size_t features = data_.features, rows = data_.size();
        if (features < 2 || rows < least || layout_.label_column == 1) return false;
        const float first = data_.inputs[0];
        if (first != 0 && first != 1) return false;
        for (size_t row = 0; row < rows; ++row)
            if (data_.inputs[row * features] != first + static_cast<float>(row)) return false;
        return true;
    }

    void drop_first_column() {
        layout_.row_number_column = 1;
        size_t kept = 0;
        for (size_t i = 0; i < data_.inputs.size(); ++i)
            if (i % data_.features != 0) data_.inputs[kept++] = data_.inputs[i];
        data_.inputs.resize(kept);
        --data_.features;
    }

    CsvLines lines_;
    const std::string& name_;
    const CsvOptions& options_;
    CsvLayout layout_;
    size_t first_line_ = 0, width_ = 0;
    char mark_ = 0;  // the decimal mark of the file, and where it was seen first
    size_t mark_line_ = 0;
    Classes classes_;
    Dataset data_;
};

[[noreturn]] void refuse_size(const std::filesystem::path& file, const std::string& got, uint64_t most) {
    throw TooLarge(file.string() + ": got " + got + " bytes, needs at most " + std::to_string(most));
}

}  // namespace

CsvData detail::parse_csv(std::string_view text, const std::string& name, const CsvOptions& options) {
    return Parser(text, name, options).parse();
}

CsvData read_csv(const std::filesystem::path& file, const CsvOptions& options) {
    const uint64_t most = options.max_bytes;
    std::error_code unreadable;  // which read_file says better
    const uint64_t size = std::filesystem::file_size(file, unreadable);
    if (!unreadable && size > most) refuse_size(file, std::to_string(size), most);
    detail::Bytes bytes = detail::read_file(file, most);
    if (detail::is_gzip(bytes)) {
        // Memory is taken for what fits only, however little a file seems to be that holds much.
        const size_t decompressed = detail::gunzipped_bytes(bytes, most + 1, file.string());
        if (decompressed > most) refuse_size(file, "more than " + std::to_string(most), most);
        bytes = detail::gunzip(bytes, decompressed, file.string());
    }
    return detail::parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string(),
                             options);
}

}  // namespace vknorm
