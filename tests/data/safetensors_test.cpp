#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <vknorm/safetensors.hpp>

#include "support/data_files.hpp"

namespace vknorm {
namespace {

namespace fs = std::filesystem;
using test::Bytes;
using test::message_of;

/// A file with that header and that many bytes of tensors.
Bytes file(const std::string& header, size_t data_bytes = 0) {
    const uint64_t length = header.size();
    Bytes bytes(sizeof length + length + data_bytes);
    std::memcpy(bytes.data(), &length, sizeof length);
    std::memcpy(bytes.data() + sizeof length, header.data(), length);
    return bytes;
}

uint64_t header_bytes(const Bytes& bytes) {
    uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    return length;
}

/// The header as another library understands it.
nlohmann::json another_reader(const Bytes& bytes) {
    const auto* begin = reinterpret_cast<const char*>(bytes.data()) + sizeof(uint64_t);
    return nlohmann::json::parse(begin, begin + header_bytes(bytes));
}

std::string error(const Bytes& bytes) {
    return message_of<FormatError>([&] { parse_safetensors(bytes, "f"); });
}
std::string error(const std::string& header, size_t data_bytes = 0) {
    return error(file(header, data_bytes));
}

HostTensor floats(TensorShape shape, const std::vector<float>& values) {
    return {std::move(shape), std::span(values)};
}

Safetensors example() {
    const std::vector<int64_t> count{int64_t{1} << 40};
    return {{{"a", floats({3}, {1, -0.0f, 2.5f})},
             {"empty", floats({2, 0}, {})},
             {"n", {{}, std::span(count)}},
             {"x", floats({2, 2}, {1, 2, 3, 4})}},
            {{"source", "a \"quoted\" text"}}};
}

TEST(SafetensorsFile, ReadsWhatItWrote) {
    const Bytes bytes = safetensors_bytes(example());
    const Safetensors got = parse_safetensors(bytes, "f");
    EXPECT_EQ(got.metadata, example().metadata);
    ASSERT_EQ(got.tensors.size(), 4u);
    for (const auto& [name, tensor] : example().tensors) {
        EXPECT_EQ(got.tensors.at(name).dtype, tensor.dtype) << name;
        EXPECT_EQ(got.tensors.at(name).shape, tensor.shape) << name;
        EXPECT_EQ(got.tensors.at(name).bytes, tensor.bytes) << name;
    }
    EXPECT_EQ(got.tensors.at("a").floats(), (std::vector<float>{1, 0, 2.5f}));
    EXPECT_EQ(got.tensors.at("n").integers(), (std::vector<int64_t>{int64_t{1} << 40}));
    EXPECT_EQ(message_of<std::invalid_argument>([&] { got.tensors.at("n").floats(); }),
              "HostTensor: dtype: got I64, needs F64, F32, F16 or BF16");
}

/// What another implementation relies on: tensors aligned to their elements, from the first byte on.
TEST(SafetensorsFile, IsAlignedForOtherReaders) {
    const Bytes bytes = safetensors_bytes(example());
    EXPECT_EQ(header_bytes(bytes) % 8, 0u);
    const nlohmann::json header = another_reader(bytes);
    EXPECT_EQ(header["n"]["data_offsets"], (std::vector<int>{0, 8}));
    EXPECT_EQ(header["a"]["data_offsets"], (std::vector<int>{8, 20}));
}

TEST(SafetensorsFile, AcceptsEveryDtypeAndAnEmptyFile) {
    EXPECT_TRUE(parse_safetensors(file("{}"), "f").tensors.empty());
    for (const auto& [name, bytes] : {std::pair{"F64", 8},
                                      {"F32", 4},
                                      {"F16", 2},
                                      {"BF16", 2},
                                      {"I64", 8},
                                      {"I32", 4},
                                      {"U32", 4},
                                      {"U8", 1},
                                      {"BOOL", 1}}) {
        const std::string header = std::string("{\"x\":{\"dtype\":\"") + name +
                                   "\",\"shape\":[3],\"data_offsets\":[0," + std::to_string(3 * bytes) +
                                   "]}}  ";
        EXPECT_STREQ(name_of(parse_safetensors(file(header, 3 * bytes), "f").tensors.at("x").dtype), name);
    }
}

/// Every number of 16 bits survives; others go to the nearest, ties to even.
TEST(SafetensorsFile, RoundsTo16Bits) {
    std::vector<uint16_t> bits(0x10000);
    for (size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<uint16_t>(i);
    for (const Dtype dtype : {Dtype::f16, Dtype::bf16}) {
        HostTensor all({0x10000}, std::vector<float>(0x10000), dtype);
        std::memcpy(all.bytes.data(), bits.data(), all.bytes.size());
        const std::vector<float> values = all.floats();
        const HostTensor again({0x10000}, values, dtype);
        const std::vector<float> got = again.floats();
        for (size_t i = 0; i < bits.size(); ++i) {
            if (std::isnan(values[i]))
                EXPECT_TRUE(std::isnan(got[i])) << i;
            else
                EXPECT_EQ(std::memcmp(&all.bytes[2 * i], &again.bytes[2 * i], 2), 0) << i;
        }
    }
    const auto rounded = [](float value, Dtype dtype) {
        return HostTensor({1}, std::vector<float>{value}, dtype).floats().front();
    };
    EXPECT_EQ(rounded(1 + 0x1p-11f, Dtype::f16), 1);
    EXPECT_EQ(rounded(1 + 0x1.8p-10f, Dtype::f16), 1 + 0x1p-9f);
    EXPECT_EQ(rounded(2 - 0x1p-12f, Dtype::f16), 2);
    EXPECT_EQ(rounded(0x1p-25f, Dtype::f16), 0);
    EXPECT_EQ(rounded(0x1.8p-25f, Dtype::f16), 0x1p-24f);
    EXPECT_EQ(rounded(-65519, Dtype::f16), -65504);
    EXPECT_EQ(rounded(-65520, Dtype::f16), -INFINITY);
    EXPECT_EQ(rounded(1 + 0x1p-8f, Dtype::bf16), 1);
    EXPECT_EQ(rounded(1 + 0x1.8p-7f, Dtype::bf16), 1 + 0x1p-6f);
    EXPECT_EQ(rounded(-0x1.fffp+127f, Dtype::bf16), -INFINITY);
}

/// Any text is a name.
TEST(SafetensorsFile, EscapesNames) {
    for (const std::string& name :
         {std::string("a\"b\\c/d"), std::string("\b\f\n\r\t\x01\x1f\x7f"), std::string("a\0b", 3),
          std::string("\u00e9\u20ac\U0001f600"), std::string()}) {
        const Bytes bytes = safetensors_bytes({{{name, floats({1}, {7})}}, {{name, name}}});
        const Safetensors got = parse_safetensors(bytes, "f");
        EXPECT_EQ(got.tensors.at(name).floats(), std::vector<float>{7});
        EXPECT_EQ(got.metadata.at(name), name);
        EXPECT_TRUE(another_reader(bytes).contains(name)) << name;
    }
    const std::string escaped = R"({"\u0061\ud83d\ude00":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})";
    EXPECT_TRUE(parse_safetensors(file(escaped, 1), "f").tensors.contains("a\U0001f600"));
}

TEST(SafetensorsFile, WritesOnlyWhatCanBeRead) {
    const auto error_of = [](const Safetensors& content) {
        return message_of<std::invalid_argument>([&] { safetensors_bytes(content); });
    };
    EXPECT_EQ(
        error_of({{{"__metadata__", floats({1}, {7})}}}),
        "safetensors_bytes: tensors: got the name __metadata__, needs one that the format does not keep "
        "for itself");
    HostTensor torn = floats({2}, {1, 2});
    torn.bytes.pop_back();
    EXPECT_EQ(error_of({{{"x", torn}}}), "safetensors_bytes: x: got 7 bytes, needs those of F32 (2)");
    torn.shape = {uint64_t{1} << 62};
    EXPECT_EQ(error_of({{{"x", torn}}}),
              "safetensors_bytes: x: got 7 bytes, needs those of F32 (4611686018427387904)");
    EXPECT_EQ(error_of({{{"x\xff", floats({1}, {7})}}}),
              "JSON: text: got byte 1 that is not UTF-8, needs UTF-8");
    EXPECT_EQ(error_of({{}, {{"key", "\xc0\x80"}}}), "JSON: text: got byte 0 that is not UTF-8, needs UTF-8");
}

TEST(HostTensor, RefusesValuesThatDoNotFit) {
    const auto error_of = [](TensorShape shape, Dtype dtype) {
        return message_of<std::invalid_argument>([&] {
            const std::vector<float> values(3);
            HostTensor(std::move(shape), std::span(values), dtype);
        });
    };
    EXPECT_EQ(error_of({2, 2}, Dtype::f32), "HostTensor: values: got 3, needs 4 for shape (2, 2)");
    EXPECT_EQ(error_of({2}, Dtype::bf16), "HostTensor: values: got 3, needs 2 for shape (2)");
    EXPECT_EQ(error_of({3}, Dtype::i64), "HostTensor: dtype: got I64, needs F32, F16 or BF16");
    EXPECT_EQ(message_of<std::invalid_argument>([] {
                  element_count({uint64_t{1} << 40, 1 << 24});
              }),
              "element_count: shape: got (1099511627776, 16777216), needs at most 18446744073709551615 "
              "elements");
    EXPECT_EQ(element_count({}), 1u);
    EXPECT_EQ(element_count({3, 0}), 0u);
}

TEST(SafetensorsFile, LengthsThatLieAllocateNothing) {
    EXPECT_EQ(error(Bytes(7)), "f: got 7 bytes, needs at least 8 for the header's length");
    for (const uint64_t length : {uint64_t{3}, uint64_t{1} << 63, ~uint64_t{0}}) {
        Bytes bytes = file("{}");
        std::memcpy(bytes.data(), &length, sizeof length);
        EXPECT_EQ(error(bytes), "f: header: got " + std::to_string(length) +
                                    " bytes, needs at most 2, as the file ends there");
    }
    EXPECT_EQ(error(file(std::string(100'000'001, ' '))),
              "f: header: got 100000001 bytes, needs at most 100000000, whatever the file's size");
    EXPECT_EQ(error(R"({"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"),
              "f: x: shape: got (4294967296, 4294967296), needs one whose bytes 64 bits can count");
    EXPECT_EQ(
        error(R"({"x":{"dtype":"F32","shape":[1073741824],"data_offsets":[0,4294967296]}})", 8),
        "f: x: data_offsets: got [0,4294967296], needs a begin and an end within the 8 bytes there are");
}

TEST(SafetensorsFile, RefusesHeadersThatAreNone) {
    EXPECT_EQ(error(""), "f: header: does not begin with {");
    EXPECT_EQ(error("[]"), "f: header: does not begin with {");
    EXPECT_EQ(error(" {}"), "f: header: does not begin with {");
    for (const std::string& text :
         {std::string("{"), std::string("{}x"), std::string("{'x':1}"), std::string("{\"\xff\":1}"),
          std::string("{}\0", 3), std::string("{}\0 and text after it", 20)})
        EXPECT_TRUE(error(text).starts_with("f: header: is no JSON: ")) << text;
    EXPECT_EQ(error(R"({"x":)" + std::string(1000, '[')), "f: header: values are nested more than 3 deep");
}

TEST(SafetensorsFile, RefusesDuplicateKeys) {
    const std::string x = R"("x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
    EXPECT_EQ(error("{" + x + "," + x + "}", 1), "f: header: the key 'x' stands there twice");
    EXPECT_EQ(error(R"({"x":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}})", 1),
              "f: header: the key 'shape' stands there twice");
}

/// A long one is not repeated as a whole.
TEST(SafetensorsFile, MessagesStayShort) {
    std::string shape;
    for (int i = 0; i < 1000; ++i) shape += "1,";
    const std::string text =
        error(R"({"x":{"dtype":"U8","shape":[)" + shape + R"("1"],"data_offsets":[0,1]}})", 1);
    EXPECT_TRUE(text.starts_with("f: x: shape: got [1,1,1,")) << text;
    EXPECT_TRUE(text.ends_with("..., needs an array of whole numbers from 0 on")) << text;
    EXPECT_LT(text.size(), 300u);
}

TEST(SafetensorsFile, RefusesWrongEntries) {
    const auto entry = [](const std::string& fields) { return error("{\"x\":" + fields + "}", 4); };
    EXPECT_EQ(entry("7"), "f: x: got 7, needs dtype, shape and data_offsets");
    EXPECT_EQ(entry(R"({"dtype":"U8","shape":[4]})"),
              R"(f: x: got {"dtype":"U8","shape":[4]}, needs dtype, shape and data_offsets)");
    EXPECT_TRUE(entry(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":1})")
                    .ends_with("needs dtype, shape and data_offsets"));
    EXPECT_EQ(entry(R"({"dtype":"F8","shape":[4],"data_offsets":[0,4]})"),
              R"(f: x: dtype: got "F8", needs F64, F32, F16, BF16, I64, I32, U32, U8 or BOOL)");
    EXPECT_EQ(entry(R"({"dtype":8,"shape":[4],"data_offsets":[0,4]})"),
              "f: x: dtype: got 8, needs F64, F32, F16, BF16, I64, I32, U32, U8 or BOOL");
    for (const char* shape : {"[-1]", "[1.5]", "[\"1\"]", "4", "[18446744073709551616]"})
        EXPECT_TRUE(entry(R"({"dtype":"U8","shape":)" + std::string(shape) + R"(,"data_offsets":[0,4]})")
                        .ends_with("needs an array of whole numbers from 0 on"))
            << shape;
    for (const char* offsets : {"[0]", "[0,4,4]", "[4,0]", "[0,5]", "[]"})
        EXPECT_EQ(entry(R"({"dtype":"U8","shape":[4],"data_offsets":)" + std::string(offsets) + "}"),
                  "f: x: data_offsets: got " + std::string(offsets) +
                      ", needs a begin and an end within the 4 bytes there are");
    EXPECT_EQ(entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"),
              "f: x: data_offsets: got 4 bytes, needs 8 for F32 (2)");
    EXPECT_EQ(error(R"({"__metadata__":{"a":1}})"), "f: __metadata__: a: got 1, needs a text");
    EXPECT_EQ(error(R"({"__metadata__":[]})"), "f: __metadata__: got [], needs an object of texts");
}

TEST(SafetensorsFile, EveryByteBelongsToOneTensor) {
    const auto two = [](const std::string& first, const std::string& second, size_t bytes) {
        return error(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
                         R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}",
                     bytes);
    };
    EXPECT_EQ(
        two("[0,4]", "[3,7]", 7),
        "f: b: data_offsets: got byte 3, needs to begin where the tensor before it ends, at 4: they overlap");
    EXPECT_EQ(two("[0,4]", "[5,9]", 9),
              "f: b: data_offsets: got byte 5, needs to begin where the tensor before it ends, at 4: there "
              "is a hole");
    EXPECT_EQ(two("[5,9]", "[1,5]", 9),
              "f: b: data_offsets: got byte 1, needs to begin where the tensor before it ends, at 0: there "
              "is a hole");
    EXPECT_EQ(two("[4,8]", "[0,4]", 9), "f: got 9 bytes of tensors, needs 8: some follow the last tensor");
}

/// Any damage gives an answer, never a crash.
TEST(SafetensorsFile, SurvivesDamage) {
    const Bytes good = safetensors_bytes(example());
    for (size_t length = 0; length < good.size(); ++length)
        EXPECT_THROW(parse_safetensors(std::span(good).first(length), "f"), FormatError) << length;
    for (size_t i = 0; i < good.size(); ++i) {
        for (const int bit : {1, 4, 128}) {
            Bytes damaged = good;
            damaged[i] ^= std::byte(bit);
            try {
                parse_safetensors(damaged, "f");
            } catch (const FormatError&) {
            }
        }
    }
}

TEST(SafetensorsFile, IsReplacedAsAWhole) {
    const test::TemporaryDirectory directory;
    const fs::path path = directory.path() / "t.safetensors";
    for (const float value : {1.0f, 2.0f}) {
        write_safetensors(path, {{{"x", floats({1}, {value})}}});
        EXPECT_EQ(read_safetensors(path).tensors.at("x").floats(), std::vector<float>{value});
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);

    const fs::path nowhere = directory.path() / "missing" / "t.safetensors";
    EXPECT_NE(message_of<fs::filesystem_error>([&] {
                  write_safetensors(nowhere, example());
              }).find(nowhere.string()),
              std::string::npos);
    // The target cannot be replaced: the temporary goes, too.
    const fs::path taken = directory.path() / "taken";
    fs::create_directories(taken / "inside");
    EXPECT_THROW(write_safetensors(taken, example()), fs::filesystem_error);
    EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 2);
}

TEST(HostTensor, HasADtypeOfTheEnumeration) {
    const std::string expected = "Dtype: got value 9, needs one of the enumeration's";
    const auto wrong = static_cast<Dtype>(9);
    EXPECT_EQ(message_of<std::invalid_argument>([&] { (void)bytes_of(wrong); }), expected);
    EXPECT_EQ(message_of<std::invalid_argument>([&] { HostTensor({1}, std::vector<float>{1}, wrong); }),
              expected);
}

}  // namespace
}  // namespace vknorm
