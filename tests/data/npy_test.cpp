#include "data/npy.hpp"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "support/data_files.hpp"
#include "support/npz.hpp"

namespace vknorm {
namespace {

namespace fs = std::filesystem;
using detail::ArraySource;
using detail::ArraySources;
using test::Bytes;
using test::message_of;
using test::npy;
using test::npz;
using test::TemporaryDirectory;
using ::testing::HasSubstr;

std::string header_error(const Bytes& bytes) {
    return message_of<FormatError>([&] { detail::parse_npy_header(bytes, "a"); });
}
Bytes with_header(const std::string& header, int version = 1) {
    return npy(header, std::vector<uint8_t>{}, version);
}
std::string text(const std::string& type, const std::string& shape, const char* order = "False") {
    return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

TEST(Npy, HeadersAreRead) {
    for (const int version : {1, 2, 3}) {
        const auto header = detail::parse_npy_header(with_header(text("<f8", "(2, 3, 4)"), version), "a");
        EXPECT_EQ(header.type, "f8");
        EXPECT_EQ(header.shape, (std::vector<uint64_t>{2, 3, 4}));
        EXPECT_EQ(header.elements, 24u);
        EXPECT_EQ(header.header_bytes % 64, 0u);
    }
    EXPECT_EQ(detail::parse_npy_header(with_header(text("|u1", "(5,)")), "a").elements, 5u);
    EXPECT_EQ(detail::parse_npy_header(with_header(text("|u1", "()")), "a").elements, 1u);
    EXPECT_EQ(detail::parse_npy_header(
                  with_header(R"({"shape": (5L, 2L), "descr": "<i8", "fortran_order": False})"), "a")
                  .elements,
              10u);
}

TEST(Npy, WrongHeadersAreRefused) {
    const auto is_no_header = [](const std::string& header) {
        EXPECT_THAT(header_error(with_header(header)), HasSubstr("a: header: got ")) << header;
    };
    EXPECT_THAT(header_error({}), HasSubstr("got 0 bytes without the magic number"));
    EXPECT_THAT(header_error(Bytes(200)), HasSubstr("without the magic number"));
    EXPECT_THAT(header_error(with_header(text("<f4", "(2,)"), 4)), HasSubstr("got version 4, needs 1 to 3"));
    Bytes cut = with_header(text("<f4", "(2,)"));
    cut.resize(60);
    EXPECT_THAT(header_error(cut), HasSubstr("a: header: got 118 bytes, needs at most 50"));
    for (const char* header :
         {"", "{", "{}", "nonsense", "{'descr': '<f4', 'fortran_order': False}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 'x'}",
          "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
          "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
          "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "{'descr: '<f4'"})
        is_no_header(header);
    EXPECT_EQ(header_error(with_header(text("<f4", "(2,)", "True"))), "a: got Fortran order, needs C order");
    for (const char* type : {">f4", "<f2", "|O", "<c8", "|b1", "|S3", "<u4"})
        EXPECT_EQ(header_error(with_header(text(type, "(2,)"))),
                  std::string("a: got type ") + type + ", needs |u1, <i4, <i8, <f4 or <f8");
    EXPECT_THAT(header_error(with_header(text("<f4", "(4294967296, 4294967296, 4294967296)"))),
                HasSubstr("needs at most 1099511627776 values"));
}

/// Arrays in memory.
ArraySources sources(const std::map<std::string, Bytes>& arrays) {
    ArraySources all;
    for (const auto& [name, bytes] : arrays)
        all[name] = {name, bytes.size(), [bytes = bytes](size_t most) {
                         return Bytes(bytes.begin(),
                                      bytes.begin() + static_cast<ptrdiff_t>(std::min(most, bytes.size())));
                     }};
    return all;
}
NpyData read(const std::map<std::string, Bytes>& arrays, const NpyOptions& options = {}) {
    return detail::data_of(sources(arrays), "set", options);
}
std::string error(const std::map<std::string, Bytes>& arrays, const NpyOptions& options = {}) {
    return message_of<FormatError>([&] { read(arrays, options); });
}

template <class T>
Bytes array(const std::string& type, const std::string& shape, const std::vector<T>& values) {
    return npy(text(type, shape), values);
}
template <class T>
std::vector<T> counted(size_t count) {
    std::vector<T> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = static_cast<T>(i);
    return values;
}
const Bytes two_labels = array<int64_t>("<i8", "(2,)", {1, 4});

TEST(Npy, ShapesAndTypes) {
    const auto data = [](const Bytes& x, ChannelAxis channels = ChannelAxis::found) {
        return read({{"x", x}, {"y", two_labels}}, {.channels = channels}).train;
    };
    const Dataset rows = data(array<float>("<f4", "(2, 3)", {0, 0.5f, -7, 1, 2, 3}));
    EXPECT_EQ(rows.shape(), std::vector<uint32_t>{3});
    EXPECT_EQ(rows.inputs, (std::vector<float>{0, 0.5f, -7, 1, 2, 3}));
    EXPECT_EQ(rows.labels, (std::vector<uint32_t>{1, 4}));
    EXPECT_EQ(rows.classes, 5u);
    EXPECT_EQ(data(array<double>("<f8", "(2, 1)", {0.1, 2})).inputs, (std::vector<float>{0.1f, 2}));

    const Dataset grey = data(array("|u1", "(2, 2, 3)", counted<uint8_t>(12)));
    EXPECT_EQ(grey.shape(), (std::vector<uint32_t>{1, 2, 3}));
    EXPECT_EQ(grey.inputs[11], 11 / 255.0f);

    const Dataset last = data(array("<f4", "(2, 2, 1, 3)", counted<float>(12)));
    EXPECT_EQ(last.shape(), (std::vector<uint32_t>{3, 2, 1}));
    EXPECT_EQ(last.inputs, (std::vector<float>{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}));
    const Dataset first = data(array("<f4", "(2, 3, 2, 2)", counted<float>(24)));
    EXPECT_EQ(first.shape(), (std::vector<uint32_t>{3, 2, 2}));
    EXPECT_EQ(first.inputs, counted<float>(24));
    const Bytes either = array("<f4", "(2, 3, 3, 3)", counted<float>(54));
    EXPECT_NE(data(either).inputs, counted<float>(54));
    EXPECT_EQ(data(either, ChannelAxis::first).inputs, counted<float>(54));
}

TEST(Npy, PartsAreFoundByTheirNames) {
    const Bytes x = array("<f4", "(2, 1)", counted<float>(2)),
                other = array("<f4", "(2, 1)", counted<float>(2));
    const Bytes labels = array<uint8_t>("|u1", "(2, 1)", {0, 7});
    for (const auto& [inputs, targets] :
         std::vector<std::pair<std::string, std::string>>{{"x_train", "y_train"},
                                                          {"X-train", "Y-train"},
                                                          {"train_images", "train_labels"},
                                                          {"train.data", "train.target"}}) {
        std::string test_inputs = inputs, test_targets = targets;
        test_inputs.replace(test_inputs.find("train"), 5, "test");
        test_targets.replace(test_targets.find("train"), 5, "test");
        const NpyData all = read({{inputs, x},
                                  {targets, labels},
                                  {test_inputs, other},
                                  {test_targets, two_labels},
                                  {"val_images", x},
                                  {"mean", x}});
        EXPECT_EQ(all.train.size(), 2u);
        EXPECT_EQ(all.test.size(), 2u);
        EXPECT_EQ(all.train.classes, 8u);
        EXPECT_EQ(all.test.classes, 8u);
        EXPECT_EQ(all.arrays, (std::vector<std::string>{inputs, targets, test_inputs, test_targets}));
    }
    EXPECT_EQ(read({{"arr_0", x}, {"arr_1", labels}}).test.size(), 0u);
    EXPECT_EQ(read({{"x_test", x}, {"y_test", labels}}).train.size(), 2u) << "all there is";

    EXPECT_EQ(error({}), "set: got no array, needs x_train and y_train, or x and y");
    EXPECT_EQ(error({{"a", x}}), "set: got a, needs x_train and y_train, or x and y");
    EXPECT_EQ(error({{"x", x}, {"b", x}}), "set: got x alone, needs labels for it among b, x");
    EXPECT_EQ(error({{"x", x}, {"images", x}, {"y", labels}}), "set: got images and x, needs one of them");
    EXPECT_THAT(error({{"x_train", x},
                       {"y_train", labels},
                       {"x_test", array("<f4", "(1, 2)", counted<float>(2))},
                       {"y_test", array<uint8_t>("|u1", "(1,)", {0})}}),
                HasSubstr("other shapes"));
}

TEST(Npy, WrongContentsAreRefused) {
    const Bytes x = array("<f4", "(2, 1)", counted<float>(2));
    const auto with_x = [](const Bytes& inputs, const NpyOptions& options = {}) {
        return error({{"x", inputs}, {"y", two_labels}}, options);
    };
    const auto with_y = [&](const Bytes& labels) { return error({{"x", x}, {"y", labels}}); };
    Bytes longer = x, shorter = x;
    longer.push_back({});
    shorter.pop_back();
    EXPECT_EQ(with_x(longer), "x: got 137 bytes, needs a header of 128 and f4 (2, 1)");
    EXPECT_EQ(with_x(shorter), "x: got 135 bytes, needs a header of 128 and f4 (2, 1)");
    EXPECT_THAT(with_x(array("<f4", "(2, 1)", counted<float>(3))), HasSubstr("needs a header"));
    EXPECT_THAT(with_x(array("<i8", "(2, 1)", counted<int64_t>(2))), HasSubstr("x: got inputs of type i8"));
    EXPECT_THAT(with_x(array("<f4", "(2,)", counted<float>(2))), HasSubstr("needs 2 to 4 dimensions"));
    EXPECT_THAT(with_x(array("<f4", "(2, 2, 2, 2)", counted<float>(16))), HasSubstr("needs 1 or 3 channels"));
    EXPECT_THAT(with_x(array("<f4", "(2, 0)", counted<float>(0))), HasSubstr("needs at least one value"));
    EXPECT_THAT(with_x(array("<f4", "(3, 1)", counted<float>(3))),
                HasSubstr("y: got 2 labels, needs 3 as x has examples"));
    constexpr float infinity = std::numeric_limits<float>::infinity();
    EXPECT_THAT(with_x(array<float>("<f4", "(2, 1)", {0, infinity})), HasSubstr("x: value 2: got one"));
    EXPECT_THAT(with_x(array<double>("<f8", "(2, 1)", {1e39, 0})), HasSubstr("x: value 1: got one"));
    EXPECT_THAT(with_x(x, {.max_bytes = 7}), HasSubstr("needs at most 1 values, which are 7 bytes"));
    EXPECT_EQ(with_y(array<int64_t>("<i8", "(2,)", {0, -1})), "y: label 2: got -1, needs a class, 0 to 999");
    EXPECT_EQ(with_y(array<int32_t>("<i4", "(2,)", {1000, 0})),
              "y: label 1: got 1000, needs a class, 0 to 999");
    EXPECT_THAT(with_y(array<float>("<f4", "(2,)", {0, 1})), HasSubstr("y: got labels of type f4"));
    EXPECT_THAT(with_y(array<int64_t>("<i8", "(1, 2)", {0, 1})), HasSubstr("needs (N,) or (N, 1)"));
}

/// What an array announces is asked for by nobody before it is known to be there.
TEST(Npy, LengthsThatLieAllocateNothing) {
    ArraySources arrays = sources({{"x", array("<f4", "(2, 1)", counted<float>(2))}, {"y", two_labels}});
    const Bytes large = with_header(text("<f4", "(1099511627776,)"));
    size_t most_asked = 0;
    arrays["x"] = {"x", large.size() + (uint64_t{4} << 40), [&](size_t most) {
                       most_asked = std::max(most_asked, most);
                       return large;
                   }};
    EXPECT_THAT(message_of<TooLarge>([&] { detail::data_of(arrays, "set", {}); }),
                HasSubstr("needs at most 268435456 values"));
    EXPECT_LE(most_asked, detail::max_npy_header_bytes);
}

TEST(Npz, ArchivesStoredAndDeflated) {
    const Bytes x = array("|u1", "(2, 20, 20)", std::vector<uint8_t>(800, 51));
    for (const bool deflate : {false, true}) {
        const Bytes archive =
            npz({{"x_train.npy", x}, {"y_train.npy", two_labels}, {"notes.txt", Bytes(7)}}, deflate);
        const ArraySources arrays = detail::parse_npz(archive, "f.npz");
        ASSERT_EQ(arrays.size(), 2u);
        const Dataset data = detail::data_of(arrays, "f.npz", {}).train;
        EXPECT_EQ(data.shape(), (std::vector<uint32_t>{1, 20, 20}));
        EXPECT_EQ(data.inputs, std::vector<float>(800, 0.2f));

        const TemporaryDirectory folder;
        write_file(folder.path() / "f.npz", archive);
        EXPECT_EQ(read_npy(folder.path() / "f.npz").train.inputs, data.inputs);
        write_file(folder.path() / "X_train.npy", x);
        write_file(folder.path() / "y_train.npy", two_labels);
        EXPECT_EQ(read_npy(folder.path()).train.inputs, data.inputs);
    }
}

TEST(Npz, DamagedArchivesAreRefused) {
    const Bytes x = array("<f4", "(2, 64)", counted<float>(128));
    const auto refused = [](const Bytes& archive) {
        return message_of<FormatError>([&] { detail::data_of(detail::parse_npz(archive, "f"), "f", {}); });
    };
    EXPECT_THAT(refused({}), HasSubstr("f: got 0 bytes, needs an archive"));
    EXPECT_THAT(refused(Bytes(100)), HasSubstr("got no directory at the end"));
    for (const bool deflate : {false, true}) {
        const Bytes good = npz({{"x.npy", x}, {"y.npy", two_labels}}, deflate);
        // Every byte that is not as it was: what is read is right, or refused.
        size_t refusals = 0;
        for (size_t at = 0; at < good.size(); ++at) {
            Bytes bad = good;
            bad[at] ^= std::byte{0x55};
            try {
                detail::data_of(detail::parse_npz(bad, "f"), "f", {});
            } catch (const FormatError&) {
                ++refusals;
            }
        }
        EXPECT_GT(refusals, good.size() / 2);
        for (size_t bytes = 0; bytes < good.size(); ++bytes) {
            const Bytes cut(good.begin(), good.begin() + static_cast<ptrdiff_t>(bytes));
            EXPECT_NE(refused(cut), "") << bytes;
        }
        Bytes damaged = good;
        damaged[40 + 130] ^= std::byte{1};
        EXPECT_THAT(refused(damaged), HasSubstr("f: x.npy: got ")) << deflate;
    }
    EXPECT_THAT(refused(npz({{"x.npy", x}, {"x.npy", x}}, false)), HasSubstr("got it twice"));
    EXPECT_THAT(refused(npz({{"x.npy", x}}, true, 3'000'000'000)),
                HasSubstr("compressed bytes, needs those of 3000000000"));
    EXPECT_THAT(refused(npz({{"x.npy", x}, {"y.npy", two_labels}}, true, x.size() + 4)),
                HasSubstr("f: x.npy: got 640 bytes, or damaged ones, by decompression, needs 644"));
}

}  // namespace
}  // namespace vknorm
