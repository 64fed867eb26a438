// The reader against what RFC 8259 allows and what it does not.
#include "data/json.hpp"

#include <gtest/gtest.h>
#include <vector>

#include <vknorm/file.hpp>

#include "support/data_files.hpp"

namespace vknorm::detail {
namespace {

using test::message_of;

/// Whether that is one value and nothing else; the reader goes over it as value() does.
bool accepts(const std::string& text) {
    JsonReader reader(text, "t", 4);
    try {
        reader.value();
        reader.end();
        return true;
    } catch (const FormatError&) {
        return false;
    }
}

std::string error(const std::string& text) {
    return message_of<FormatError>([&] { JsonReader(text, "t", 4).value(); });
}

std::string string_in(const std::string& text) {
    return JsonReader(text, "t", 4).string();
}

TEST(JsonReader, AcceptsEveryKindOfValue) {
    for (const char* text :
         {"{}",
          "[]",
          " { } ",
          "[ ]",
          "\t[\n1\r, 2 ] ",
          R"({"a":1,"b":[{"c":null}]})",
          "true",
          "false",
          "null",
          "0",
          "-0",
          "12",
          "-12",
          "0.5",
          "1e5",
          "1E+5",
          "1.25e-300",
          "\"\"",
          R"("\u0000\"\\\/\b\f\n\r\t")",
          R"("\ud83d\ude00")",
          "\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
          "[[[[]]]]",
          R"({"":0})"})
        EXPECT_TRUE(accepts(text)) << text;
}

TEST(JsonReader, RefusesEverythingElse) {
    for (const char* text : {"",
                             " ",
                             "{",
                             "}",
                             "[",
                             "]",
                             "[1",
                             "[1,",
                             "[1,]",
                             "[,1]",
                             "[1 2]",
                             "{,}",
                             R"({"a"})",
                             R"({"a":})",
                             R"({"a":1,})",
                             R"({"a":1 "b":2})",
                             R"({a:1})",
                             R"({1:1})",
                             "{'a':1}",
                             "[1]]",
                             "1 2",
                             "tru",
                             "True",
                             "nul",
                             "nan",
                             "inf",
                             "-",
                             "+1",
                             "01",
                             "-01",
                             "1.",
                             ".5",
                             "1.e5",
                             "1e",
                             "1e+",
                             "0x10",
                             "1_000",
                             "\"",
                             "\"a",
                             "\"\\\"",
                             R"("\a")",
                             R"("\u12")",
                             R"("\u123g")",
                             R"("\u-123")",
                             R"("\ud800")",
                             R"("\ud800x")",
                             R"("\ud800\u0041")",
                             R"("\udc00")",
                             "\"\n\"",
                             "\"\x1f\"",
                             "\"\x80\"",
                             "\"\xc1\xbf\"",
                             "\"\xc2\"",
                             "\"\xe0\x9f\x80\"",
                             "\"\xed\xa0\x80\"",
                             "\"\xf0\x8f\x80\x80\"",
                             "\"\xf4\x90\x80\x80\"",
                             "\"\xf5\x80\x80\x80\"",
                             "\"\xff\"",
                             "// no",
                             "[1] /* no */",
                             "\xef\xbb\xbf{}",
                             "[[[[[]]]]]"})
        EXPECT_FALSE(accepts(text)) << text;
    EXPECT_FALSE(accepts(std::string("[1]\0", 4)));
    EXPECT_FALSE(accepts(std::string("\"a\0b\"", 5)));
    EXPECT_FALSE(accepts(std::string("[\0]", 3)));
}

TEST(JsonReader, TellsWhatIsWrongAndWhere) {
    EXPECT_EQ(error("[1,x]"), "t: is no JSON: no value at byte 3");
    EXPECT_EQ(error("[1"), "t: is no JSON: no ] at byte 2");
    EXPECT_EQ(error("{\"a\" 1}"), "t: is no JSON: no : at byte 5");
    EXPECT_EQ(error("\"ab"), "t: is no JSON: a string does not end at byte 3");
    EXPECT_EQ(error("[[[[[1]]]]]"), "t: values are nested more than 4 deep");
    EXPECT_EQ(error(R"({"a":1,"\u0061":2})"), "t: the key 'a' stands there twice");
}

TEST(JsonReader, ReadsStrings) {
    EXPECT_EQ(string_in(R"("a\"\\\/\b\f\n\r\tz")"), "a\"\\/\b\f\n\r\tz");
    EXPECT_EQ(string_in(R"("\u0041\u00e9\u20AC\uD83D\ude00")"), "A\u00e9\u20ac\U0001f600");
    EXPECT_EQ(string_in(R"("\u0000")"), std::string(1, '\0'));
}

TEST(JsonReader, GivesValuesAsTheyStandThere) {
    JsonReader reader(R"( {"a" : [1, 2.0] ,"b": {"c":"\u0064"}, "e":"f"} )", "t", 4);
    EXPECT_EQ(reader.next(), '{');
    std::vector<std::string> seen;
    reader.object([&](const std::string& key) {
        seen.push_back(key);
        if (key == "a")
            reader.array([&] { seen.emplace_back(reader.value()); });
        else if (key == "b")
            seen.emplace_back(reader.value());
        else
            seen.push_back(reader.string());
    });
    reader.end();
    EXPECT_EQ(reader.next(), '\0');
    EXPECT_EQ(seen, (std::vector<std::string>{"a", "1", "2.0", "b", R"({"c":"\u0064"})", "e", "f"}));
}

/// Siblings do not count.
TEST(JsonReader, DepthIsThatOfOneValueInAnother) {
    EXPECT_TRUE(accepts("[[[[]]],[[[]]],{\"a\":[[]]},[[[]]]]"));
}

TEST(JsonString, ReadsBackAsItWas) {
    std::string all;
    for (int character = 0; character < 0x80; ++character) all += static_cast<char>(character);
    all += "\u00e9\u20ac\U0001f600";
    EXPECT_EQ(string_in(json_string(all)), all);
    EXPECT_EQ(json_string("a\"\n\x01"), R"("a\"\n\u0001")");
    for (const char* broken : {"\x80", "a\xc2", "\xed\xa0\x80"})
        EXPECT_THROW(json_string(broken), std::invalid_argument) << broken;
}

}  // namespace
}  // namespace vknorm::detail
