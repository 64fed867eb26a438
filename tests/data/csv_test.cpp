#include "data/csv.hpp"

#include <clocale>
#include <gtest/gtest.h>
#include <locale>

#include <vknorm/data.hpp>

#include "support/data_files.hpp"

namespace vknorm {
namespace {

using detail::parse_csv;
using Floats = std::vector<float>;
using Labels = std::vector<uint32_t>;

TEST(Csv, ReadsNumbersAndLabels) {
    const Dataset data = parse_csv("1.5,-2e3,0\n.25,+3,2\n1e-50,-0,1.0\n", "f");
    EXPECT_EQ(data.features, 2u);
    EXPECT_EQ(data.classes, 3u);
    EXPECT_EQ(data.image_width, 0u);
    EXPECT_EQ(data.inputs, (Floats{1.5f, -2000, 0.25f, 3, 0, -0.0f}));
    EXPECT_EQ(data.labels, (Labels{0, 2, 1}));
}

TEST(Csv, AcceptsWhatSpreadsheetsWrite) {
    const std::pair<const char*, const char*> cases[] = {
        {"plain", "1,2,0\n3,4,1\n"},
        {"no newline at the end", "1,2,0\n3,4,1"},
        {"CRLF", "1,2,0\r\n3,4,1\r\n"},
        {"byte order mark",
         "\xef\xbb\xbf"
         "1,2,0\n3,4,1\n"},
        {"byte order mark and header", "\xef\xbb\xbfx,y,label\n1,2,0\n3,4,1\n"},
        {"header", "x,y,label\n1,2,0\n3,4,1\n"},
        {"quoted header with comma and quote", "\"x, cm\",\"the \"\"y\"\"\",label\n1,2,0\n3,4,1\n"},
        {"header with an empty name", "x,,label\n1,2,0\n3,4,1\n"},
        {"quoted numbers", "\"1\",\"2\",\"0\"\n\"3\" , 4,1\n"},
        {"blanks around fields", " 1 ,\t2,0 \n3,4,\t1\n"},
        {"blank lines", "\n1,2,0\n \t\n\r\n3,4,1\n\n\n"},
    };
    for (const auto& [what, text] : cases) {
        SCOPED_TRACE(what);
        const Dataset data = parse_csv(text, "f");
        EXPECT_EQ(data.inputs, (Floats{1, 2, 3, 4}));
        EXPECT_EQ(data.labels, (Labels{0, 1}));
    }
}

TEST(Csv, SaysWhereAndWhatIsWrong) {
    const struct {
        const char *what, *text, *message;
    } cases[] = {
        {"empty file", "", "f:1:1: got no example, needs at least one line of numbers"},
        {"blank lines only", "\n \n", "f:2:1: got no example, needs at least one line of numbers"},
        {"header only", "x,y,label\n", "f:1:1: got no example, needs at least one line of numbers"},
        {"short line", "1,2,0\n3,1\n", "f:2:4: got 2 fields, needs 3 as in line 1"},
        {"long line", "1,2,0\n3,4,5,1\n", "f:2:7: got 4 fields, needs 3 as in line 1"},
        {"lines unlike the header", "x,y\n1,2,0\n", "f:2:5: got 3 fields, needs 2 as in line 1"},
        {"ragged after blank lines", "\n\n1,2,0\n\n3,1\n", "f:5:4: got 2 fields, needs 3 as in line 3"},
        {"one field", "1\n", "f:1:1: got 1 field, needs at least 2: a number and the label"},
        {"empty field", "1,,0\n", "f:1:3: got '', needs a number"},
        {"empty last field", "1,2,\n", "f:1:5: got '', needs a number"},
        {"nan", "1,nan,0\n", "f:1:3: got 'nan', needs a finite number within the range of float32"},
        {"nan at the start", "nan,nan,0\n",
         "f:1:1: got 'nan', needs a finite number within the range of float32"},
        {"inf", "1,2,0\n-inf,2,0\n", "f:2:1: got '-inf', needs a finite number within the range of float32"},
        {"over float64", "1e400,2,0\n",
         "f:1:1: got '1e400', needs a finite number within the range of float32"},
        {"under float64", "1e-400,2,0\n",
         "f:1:1: got '1e-400', needs a finite number within the range of float32"},
        {"over float32", "1,-3.4028236e38,0\n",
         "f:1:3: got '-3.4028236e38', needs a finite number within the range of float32"},
        {"text after a number", "1,2x,0\n", "f:1:3: got '2x', needs a number"},
        {"text after a number, second line", "1,2,0\n1 2,3,0\n", "f:2:1: got '1 2', needs a number"},
        {"semicolons", "1;2;0\n3;4;1\n", "f:2:1: got 1 field, needs at least 2: a number and the label"},
        {"hexadecimal", "1,0x10,0\n", "f:1:3: got '0x10', needs a number"},
        {"two signs", "1,+-2,0\n", "f:1:3: got '+-2', needs a number"},
        {"header with a number", "x,2,label\n1,2,0\n", "f:1:1: got 'x', needs a number"},
        {"second header", "x,y\n1,0\nx,y\n", "f:3:1: got 'x', needs a number"},
        {"open quote", "1,\"2,0\n", "f:1:3: got a quote that is not closed on its line"},
        {"text after a quote", "1,\"2\"3,0\n", "f:1:6: got '3,0' after a closing quote, needs a comma"},
        {"quote inside", "1,2\"3\",0\n", "f:1:3: got '2\"3\"', needs a number"},
        {"carriage returns only", "1,0\r2,1\r", "f:1:3: got '0\\x0d2', needs a number"},
        {"label with a fraction", "1,2,0.5\n", "f:1:5: label: got '0.5', needs a class number, 0 to 999"},
        {"negative label", "1,2,-1\n", "f:1:5: label: got '-1', needs a class number, 0 to 999"},
        {"large label", "1,2,1000\n", "f:1:5: label: got '1000', needs a class number, 0 to 999"},
        {"label in words", "1,2,0\n3,4,cat\n", "f:2:5: got 'cat', needs a number"},
        {"label nan", "1,2,nan\n", "f:1:5: got 'nan', needs a finite number within the range of float32"},
        {"unprintable", "1,\x01\xff,0\n", "f:1:3: got '\\x01\\xff', needs a number"},
        {"long text", "1,aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeee,0\n",
         "f:1:3: got 'aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd...', needs a number"},
    };
    for (const auto& [what, text, message] : cases) {
        SCOPED_TRACE(what);
        EXPECT_EQ(test::message_of<FormatError>([&, text = text] { parse_csv(text, "f"); }), message);
    }
}

TEST(Csv, LargestLabelAndLargestNumber) {
    const Dataset data = parse_csv("3.4028235e38,999\n", "f");
    EXPECT_EQ(data.classes, 1000u);
    EXPECT_EQ(data.inputs, Floats{3.4028235e38f});
}

TEST(Csv, NulBytesAreNoEnd) {
    EXPECT_EQ(test::message_of<FormatError>([] { parse_csv(std::string_view("1,2\0,0\n", 7), "f"); }),
              "f:1:3: got '2\\x00', needs a number");
}

/// A locale with a decimal comma.
struct DecimalComma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
};

TEST(Csv, DoesNotDependOnTheLocale) {
    const std::locale before = std::locale::global(std::locale(std::locale(), new DecimalComma));
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"})
        if (std::setlocale(LC_ALL, name) != nullptr) break;
    const Dataset data = parse_csv("1.5,0\n", "f");
    const std::string message = test::message_of<FormatError>([] { parse_csv("1,5000\n", "f"); });
    std::setlocale(LC_ALL, "C");
    std::locale::global(before);
    EXPECT_EQ(data.inputs, Floats{1.5f});
    EXPECT_EQ(message, "f:1:3: label: got '5000', needs a class number, 0 to 999");
}

TEST(Csv, ReadsFilesAndNamesThem) {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "points.csv";
    write_file(file, "1,2,0\n3,4\n");
    EXPECT_EQ(test::message_of<FormatError>([&] { read_csv(file); }),
              file.string() + ":2:4: got 2 fields, needs 3 as in line 1");
    write_file(file, "1,2,0\n");
    EXPECT_EQ(read_csv(file).inputs, (Floats{1, 2}));

    using std::filesystem::filesystem_error;
    const auto missing = directory.path() / "missing.csv";
    EXPECT_EQ(test::message_of<filesystem_error>([&] { read_csv(missing); }),
              missing.string() + ": cannot be read: No such file or directory");
    EXPECT_EQ(test::message_of<filesystem_error>([&] { read_csv(directory.path()); }),
              directory.path().string() + ": cannot be read: it is a folder, needs a file");
}

}  // namespace
}  // namespace vknorm
