#include "data/csv.hpp"

#include <clocale>
#include <fstream>
#include <gtest/gtest.h>
#include <locale>
#include <sys/resource.h>
#include <unistd.h>

#include "support/data_files.hpp"

namespace vknorm {
namespace {

using Floats = std::vector<float>;
using Labels = std::vector<uint32_t>;
using Names = std::vector<std::string>;

CsvData parse(std::string_view text, const std::string& label = "") {
    return detail::parse_csv(text, "f", {.label = label});
}

std::string refusal(std::string_view text, const std::string& label = "") {
    return test::message_of<FormatError>([&] { parse(text, label); });
}

TEST(Csv, ReadsNumbersAndLabels) {
    const auto [data, layout] = parse("1.5,-2e3,0\n.25,+3,2\n1e-50,-0,1.0\n");
    EXPECT_EQ(data.features, 2u);
    EXPECT_EQ(data.classes, 3u);
    EXPECT_EQ(data.image_width, 0u);
    EXPECT_EQ(data.inputs, (Floats{1.5f, -2000, 0.25f, 3, 0, -0.0f}));
    EXPECT_EQ(data.labels, (Labels{0, 2, 1}));
    EXPECT_EQ(data.class_names, (Names{"0", "1", "2"}));
    EXPECT_EQ(layout.separator, ',');
    EXPECT_EQ(layout.columns, Names{});
    EXPECT_EQ(layout.label_column, 3u);
    EXPECT_EQ(layout.row_number_column, 0u);
    EXPECT_FALSE(layout.decimal_comma);
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
        {"empty rows", "1,2,0\n3,4,1\n,,\n , ,\r\n"},
        {"semicolons", "1;2;0\n3;4;1\n"},
        {"semicolons and a header", "x;y;label\n1;2;0\n3;4;1\n"},
        {"semicolons, quotes, a comma in a name",
         "\"x, cm\";\"y, cm\";\"label\"\n\"1\";\"2\";\"0\"\n3;4;1\n"},
        {"tabs", "1\t2\t0\r\n3\t4\t1\r\n"},
        {"tabs, commas in a header", "x, cm\ty, cm\tlabel\n1\t2\t0\n3\t4\t1\n"},
        {"decimal commas", "1,0;2,0;0\n3,0;4,0;1\n"},
        {"decimal commas between tabs", "1,0\t2,0\t0\n3,0\t4\t1\n"},
        {"separator said", "sep=,\n1,2,0\n3,4,1\n"},
        {"semicolon said", "sep=;\r\n1;2;0\r\n3;4;1\r\n"},
        {"tab said", "sep=\t\n1\t2\t0\n3\t4\t1\n"},
        {"separator said in quotes, byte order mark", "\xef\xbb\xbf\"sep=;\"\nx;w;z\n1;2;0\n3;4;1\n"},
        {"numbers as names", "0,1,2\n1,2,0\n3,4,1\n"},
        {"numbers from 1 as names", "1,2,3\n1,2,0\n3,4,1\n"},
        {"quoted numbers as names", "\"0\",\"1\",\"2\"\n1,2,0\n3,4,1\n"},
    };
    for (const auto& [what, text] : cases) {
        SCOPED_TRACE(what);
        const Dataset data = parse(text).data;
        EXPECT_EQ(data.inputs, (Floats{1, 2, 3, 4}));
        EXPECT_EQ(data.labels, (Labels{0, 1}));
    }
}

TEST(Csv, SaysWhereAndWhatIsWrong) {
    const std::string commas(2'000'000, ',');
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
        {"one field", "1\n",
         "f:1:1: got 1 field, needs at least 2, a number and the label, with a comma, a semicolon or a tab "
         "between "
         "them"},
        {"empty field", "1,,0\n", "f:1:3: got '', needs a number"},
        {"nan", "1,nan,0\n", "f:1:3: got 'nan', needs a finite number within the range of float32"},
        {"nan at the start", "nan,nan,0\n",
         "f:1:1: got 'nan', needs a finite number within the range of float32"},
        {"inf", "1,2,0\n-inf,2,0\n", "f:2:1: got '-inf', needs a finite number within the range of float32"},
        {"over float64", "1e400,2,0\n",
         "f:1:1: got '1e400', needs a finite number within the range of float32"},
        {"under minus float64", "-1e400,2,0\n",
         "f:1:1: got '-1e400', needs a finite number within the range of float32"},
        {"over float32", "1,-3.4028236e38,0\n",
         "f:1:3: got '-3.4028236e38', needs a finite number within the range of float32"},
        {"text after a number", "1,2x,0\n", "f:1:3: got '2x', needs a number"},
        {"text after a number, second line", "1,2,0\n1 2,3,0\n", "f:2:1: got '1 2', needs a number"},
        {"another separator", "1|2|0\n3|4|1\n",
         "f:1:1: got 1 field, needs at least 2, a number and the label, with a comma, a semicolon or a tab "
         "between "
         "them"},
        {"another separator said", "sep=|\n1|2|0\n",
         "f:1:5: got the separator '|', needs a comma, a semicolon or a tab"},
        {"comma and point", "1,5;2.5;0\n", "f:1:5: got '2.5', needs a decimal comma as in line 1"},
        {"thousands", "1.5;2;0\n1,234.5;2;0\n", "f:2:1: got '1,234.5', needs a number"},
        {"text in a file of semicolons", "1;x;0\n", "f:1:3: got 'x', needs a number"},
        {"hexadecimal", "1,0x10,0\n", "f:1:3: got '0x10', needs a number"},
        {"two signs", "1,+-2,0\n", "f:1:3: got '+-2', needs a number"},
        {"header with a number", "x,2,label\n1,2,0\n", "f:1:1: got 'x', needs a number"},
        {"second header", "x,y\n1,0\nx,y\n", "f:3:1: got 'x', needs a number"},
        {"open quote", "1,\"2,0\n", "f:1:3: got a quote that is not closed on its line"},
        {"text after a quote", "1,\"2\"3,0\n", "f:1:6: got '3,0' after a closing quote, needs a separator"},
        {"quote inside", "1,2\"3\",0\n", "f:1:3: got '2\"3\"', needs a number"},
        {"carriage returns only", "1,0\r2,1\r", "f:1:3: got '0\\x0d2', needs a number"},
        {"label with a fraction", "1,2,0.5\n",
         "f:1:5: label, column 3: got '0.5', needs a class: a word or a whole number"},
        {"label with a fraction under a name", "y,x\n1,3\n0.5,4\n",
         "f:3:1: label, column 1 ('y'): got '0.5', needs a class: a word or a whole number"},
        {"label nan", "1,2,nan\n",
         "f:1:5: label, column 3: got 'nan', needs a class: a word or a whole number"},
        {"no label", "1,2,\n", "f:1:5: label, column 3: got '', needs a class: a word or a whole number"},
        {"two labels", "label,x,LABEL\n1,2,3\n",
         "f:1:9: got two columns called 'label', needs the number of the one with the labels"},
        {"very many columns", commas.c_str(), "f:1:1000001: got more than 1000000 columns, needs fewer"},
        {"unprintable", "1,\x01\xff,0\n", "f:1:3: got '\\x01\\xff', needs a number"},
        {"long text", "1,aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeee,0\n",
         "f:1:3: got 'aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd...', needs a number"},
    };
    for (const auto& [what, text, message] : cases) {
        SCOPED_TRACE(what);
        EXPECT_EQ(refusal(text), message);
    }
}

TEST(Csv, LargestAndSmallestNumbers) {
    EXPECT_EQ(parse("3.4028235e38,999\n").data.inputs, Floats{3.4028235e38f});
    const Dataset tiny = parse("1e-400,0\n-1e-400,0\n0.000001e-395,1\n1e-46,1\n1e-99999,1\n").data;
    EXPECT_EQ(tiny.inputs, (Floats{0, 0, 0, 0, 0}));
    EXPECT_EQ(refusal("x,label\n1,0\n1e99999,0\n"),
              "f:3:1: got '1e99999', needs a finite number within the range of float32");
}

TEST(Csv, ClassesAreTheDistinctLabelsInOrder) {
    const struct {
        const char *what, *text;
        Names names;
        Labels labels;
    } cases[] = {
        {"words", "1,b\n2,a\n3,b\n", {"a", "b"}, {1, 0, 1}},
        {"quoted words", "1,\"say \"\"b\"\"\"\n2,\"a, or c\"\n", {"a, or c", "say \"b\""}, {1, 0}},
        {"signs", "1,-1\n2,+1\n3,1\n", {"-1", "1"}, {0, 1, 1}},
        {"numbers by value", "1,10\n2,9\n3,10.0\n4,2000000\n", {"9", "10", "2000000"}, {1, 0, 1, 2}},
        {"words and numbers", "1,x\n2,10\n3,9\n", {"9", "10", "x"}, {2, 1, 0}},
        {"from 1", "1,1\n2,2\n", {"1", "2"}, {0, 1}},
    };
    for (const auto& [what, text, names, labels] : cases) {
        SCOPED_TRACE(what);
        const Dataset data = parse(text).data;
        EXPECT_EQ(data.class_names, names);
        EXPECT_EQ(data.labels, labels);
        EXPECT_EQ(data.classes, names.size());
        EXPECT_EQ(data.class_name(0), names[0]);
    }
    std::string many;
    for (int i = 0; i <= 1000; ++i) many += "1," + std::to_string(i) + "\n";
    EXPECT_EQ(refusal(many),
              "f:1001:3: label, column 2: got more than 1000 classes, needs another column or fewer");
}

TEST(Csv, LabelColumnHasItsNameOrIsChosen) {
    const struct {
        const char *what, *text, *chosen;
        size_t column;
    } cases[] = {
        {"first", "label,a,b\n1,2,3\n", "", 1},
        {"in any case", "a,Species,b\n1,2,3\n", "", 2},
        {"class", "a,CLASS,b\n1,2,3\n", "", 2},
        {"target", "target,a\n1,2\n", "", 1},
        {"y", "Y,a\n1,2\n", "", 1},
        {"label before y", "x,y,label,z\n1,2,3,4\n", "", 3},
        {"numbers beside it", "label,0,1,2\n7,8,9,9\n", "", 1},
        {"none", "a,b,c\n1,2,3\n", "", 3},
        {"by name", "a,b,label\n1,2,3\n", "b", 2},
        {"by name in another case", "a,Colour,label\n1,2,3\n", "colour", 2},
        {"by number", "a,b,label\n1,2,3\n", "1", 1},
        {"by number without a header", "1,2,3\n4,5,6\n7,8,9\n", "2", 2},
        {"no name for the first", ",0,1\n7,8,9\n", "", 3},
        {"a name that is a number", "0,1,2\n4,5,6\n", "0", 1},
    };
    for (const auto& [what, text, chosen, column] : cases) {
        SCOPED_TRACE(what);
        EXPECT_EQ(parse(text, chosen).layout.label_column, column);
    }
    EXPECT_EQ(refusal("a,b\n1,2\n", "c"),
              "f:1:1: label: got 'c', needs a column from 1 to 2, or one of 'a', 'b'");
    EXPECT_EQ(refusal("1.5,2\n", "3"), "f:1:1: label: got '3', needs a column from 1 to 2");
    EXPECT_EQ(refusal("1.5,2\n", "0"), "f:1:1: label: got '0', needs a column from 1 to 2");
}

TEST(Csv, ExamplesThatCountAreNoHeader) {
    for (const char* text :
         {"0,1,cat\n5,5,dog\n", "1,2,3,cat\n5,5,5,dog\n", "0,1\n1,0\n", "0,1,3\n1,0,2\n"}) {
        const auto [data, layout] = parse(text);
        EXPECT_EQ(layout.columns, Names{}) << text;
        EXPECT_EQ(data.size(), 2u) << text;
    }
    EXPECT_EQ(parse("0,1,2\n").data.size(), 1u) << "the only line";
}

TEST(Csv, RowNumbersAreNoFeature) {
    const char* const numbered[] = {
        ",a,label\n0,5,x\n1,6,y\n2,5,x\n3,6,y\n4,5,x\n",
        "id,a,label\n1,5,x\n2,6,y\n3,5,x\n4,6,y\n5,5,x\n",
        "\"\",\"a\",\"label\"\n\"1\",5,x\n\"2\",6,y\n\"3\",5,x\n\"4\",6,y\n\"5\",5,x\n",
        "1,5,x\n2,6,y\n3,5,x\n4,6,y\n5,5,x\n",
        ",0,1,2\n0,5,x,0\n1,6,y,0\n2,5,x,0\n3,6,y,0\n4,5,x,0\n",
    };
    for (const char* text : numbered) {
        const bool more = text == numbered[4];
        const auto [data, layout] = parse(text, more ? "3" : "");
        EXPECT_EQ(layout.row_number_column, 1u) << text;
        EXPECT_EQ(data.features, more ? 2u : 1u) << text;
        EXPECT_EQ(data.inputs, more ? (Floats{5, 0, 6, 0, 5, 0, 6, 0, 5, 0}) : (Floats{5, 6, 5, 6, 5}))
            << text;
        EXPECT_EQ(data.class_names, (Names{"x", "y"})) << text;
    }
    const char* const features[] = {
        "1,x\n2,y\n3,x\n4,y\n5,x\n",                       // nothing else would be left
        "1,5,x\n2,6,y\n3,5,x\n4,6,y\n",                    // so few count by chance
        "1,5,x\n2,6,y\n3,5,x\n4,6,y\n6,5,x\n",             // a gap
        "2,5,x\n3,6,y\n4,5,x\n5,6,y\n6,5,x\n",             // from 2
        "label,a,b\n1,5,1\n2,6,1\n3,5,1\n4,6,1\n5,5,1\n",  // chosen by name
    };
    for (const char* text : features) EXPECT_EQ(parse(text).layout.row_number_column, 0u) << text;
}

TEST(Csv, OtherEncodingsAreNamed) {
    using namespace std::string_view_literals;
    EXPECT_EQ(refusal("\xff\xfe\x31\0,\0\x30\0"sv),
              "f:1:1: got UTF-16 text, needs UTF-8, as spreadsheets save it when asked to");
    EXPECT_EQ(refusal("\xfe\xff\0\x31\0,\0\x30"sv),
              "f:1:1: got UTF-16 text, needs UTF-8, as spreadsheets save it when asked to");
    EXPECT_EQ(refusal("\x31\0,\0\x30\0"sv),
              "f:1:1: got UTF-16 text, needs UTF-8, as spreadsheets save it when asked to");
    EXPECT_EQ(refusal("\0\x31\0,\0\x30"sv),
              "f:1:1: got UTF-16 text, needs UTF-8, as spreadsheets save it when asked to");
    EXPECT_EQ(refusal("\xff\xfe\0\0\x31\0\0\0"sv),
              "f:1:1: got UTF-32 text, needs UTF-8, as spreadsheets save it when asked to");
    EXPECT_EQ(refusal("PK\x03\x04 and so on"),
              "f:1:1: got a zip archive or a workbook, needs the text of a table");
}

TEST(Csv, NulBytesAreNoEnd) {
    EXPECT_EQ(refusal(std::string_view("1,2\0,0\n", 7)), "f:1:3: got '2\\x00', needs a number");
}

/// A locale with a decimal comma.
struct DecimalComma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
};

TEST(Csv, DoesNotDependOnTheLocale) {
    const std::locale before = std::locale::global(std::locale(std::locale(), new DecimalComma));
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"})
        if (std::setlocale(LC_ALL, name) != nullptr) break;
    const Dataset data = parse("1.5,0\n").data, two = parse("1,5000\n").data;
    const Dataset small = parse("1e-400,0\n").data;
    std::setlocale(LC_ALL, "C");
    std::locale::global(before);
    EXPECT_EQ(data.inputs, Floats{1.5f});
    EXPECT_EQ(two.class_names, Names{"5000"});
    EXPECT_EQ(small.inputs, Floats{0});
}

TEST(Csv, ReadsFilesAndNamesThem) {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "points.csv";
    write_file(file, "1,2,0\n3,4\n");
    EXPECT_EQ(test::message_of<FormatError>([&] { read_csv(file); }),
              file.string() + ":2:4: got 2 fields, needs 3 as in line 1");
    write_file(file, "1,2,0\n");
    EXPECT_EQ(read_csv(file).data.inputs, (Floats{1, 2}));
    std::string table;
    for (int i = 0; i < 100; ++i) table += "1,2,0\n";
    write_file(file, test::gzip(std::as_bytes(std::span(table))));  // whatever its name
    EXPECT_EQ(read_csv(file).data.inputs.size(), 200u);

    // No more is decompressed, or read, than may be.
    EXPECT_EQ(test::message_of<TooLarge>([&] { read_csv(file, {.max_bytes = 599}); }),
              file.string() + ": got more than 599 bytes, needs at most 599");
    EXPECT_EQ(test::message_of<TooLarge>([&] { read_csv(file, {.max_bytes = 700}); }),
              file.string() + ": got more than 175 numbers, which are 700 bytes as float32");
    EXPECT_EQ(read_csv(file, {.max_bytes = 800}).data.size(), 100u);
    write_file(file, table);
    EXPECT_EQ(test::message_of<TooLarge>([&] { read_csv(file, {.max_bytes = 599}); }),
              file.string() + ": got 600 bytes, needs at most 599");

    using std::filesystem::filesystem_error;
    const auto missing = directory.path() / "missing.csv";
    EXPECT_EQ(test::message_of<filesystem_error>([&] { read_csv(missing); }),
              missing.string() + ": cannot be read: No such file or directory");
    EXPECT_EQ(test::message_of<filesystem_error>([&] { read_csv(directory.path()); }),
              directory.path().string() + ": cannot be read: it is a folder, needs a file");
}

TEST(Csv, TakesNoMemoryForWhatIsTooLarge) {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "bomb.csv.gz";
    std::string table;
    for (int i = 0; i < 200'000; ++i) table += "1,0\n";
    const test::Bytes member = test::gzip(std::as_bytes(std::span(table)));
    test::Bytes bomb;
    for (int i = 0; i < 25; ++i) bomb.insert(bomb.end(), member.begin(), member.end());
    write_file(file, bomb);

    constexpr uint64_t most = 16 << 20;  // a little less than it holds
    rlimit before{};
    getrlimit(RLIMIT_AS, &before);
    size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit tight = before;
    tight.rlim_cur = pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)) + most / 2;
    setrlimit(RLIMIT_AS, &tight);
    std::string message;
    try {
        read_csv(file, {.max_bytes = most});
    } catch (const std::exception& error) {
        message = error.what();
    }
    setrlimit(RLIMIT_AS, &before);
    EXPECT_EQ(message, file.string() + ": got more than " + std::to_string(most) + " bytes, needs at most " +
                           std::to_string(most));
}

}  // namespace
}  // namespace vknorm
