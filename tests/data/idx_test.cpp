#include "data/idx.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

#include <vknorm/data.hpp>

#include "data/file.hpp"
#include "support/data_files.hpp"

namespace vknorm {
namespace {

namespace fs = std::filesystem;
using test::Bytes;
using test::gzip;
using test::message_of;

void append_big_endian(Bytes& bytes, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(std::byte(value >> shift));
}

/// `count` pictures of `height` x `width` whose values count up from 0.
Bytes images(uint32_t count = 3, uint32_t height = 2, uint32_t width = 4, uint32_t magic = 0x803) {
    Bytes bytes;
    for (const uint32_t value : {magic, count, height, width}) append_big_endian(bytes, value);
    for (uint32_t i = 0; i < count * height * width; ++i) bytes.push_back(std::byte(i));
    return bytes;
}

Bytes labels(std::initializer_list<int> values = {1, 0, 4}, uint32_t magic = 0x801) {
    Bytes bytes;
    for (const uint32_t value : {magic, static_cast<uint32_t>(values.size())})
        append_big_endian(bytes, value);
    for (const int value : values) bytes.push_back(std::byte(value));
    return bytes;
}

Dataset parse(const Bytes& image_bytes, const Bytes& label_bytes = labels()) {
    return detail::parse_idx({image_bytes, "images"}, {label_bytes, "labels"});
}

std::string error(const Bytes& image_bytes, const Bytes& label_bytes = labels()) {
    return message_of<FormatError>([&] { parse(image_bytes, label_bytes); });
}

Bytes without_last(const Bytes& bytes, size_t count = 1) {
    return {bytes.begin(), bytes.end() - static_cast<ptrdiff_t>(count)};
}

Bytes with_extra(Bytes bytes) {
    bytes.push_back(std::byte{7});
    return bytes;
}

TEST(Idx, ReadsPicturesAndLabelsPlainAndCompressed) {
    for (const bool compress : {false, true}) {
        const Dataset data = compress ? parse(gzip(images()), gzip(labels())) : parse(images());
        EXPECT_EQ(data.features, 8u);
        EXPECT_EQ(data.image_width, 4u);
        EXPECT_EQ(data.image_height, 2u);
        EXPECT_EQ(data.classes, 5u);
        EXPECT_EQ(data.labels, (std::vector<uint32_t>{1, 0, 4}));
        ASSERT_EQ(data.inputs.size(), 24u);
        for (size_t i = 0; i < 24; ++i) EXPECT_EQ(data.inputs[i], static_cast<float>(i) / 255.0f);
    }
}

TEST(Idx, RefusesWrongHeaders) {
    EXPECT_EQ(error({}), "images: got 0 bytes, needs at least 16");
    EXPECT_EQ(error(without_last(images(), 25)), "images: got 15 bytes, needs at least 16");
    EXPECT_EQ(error(images(3, 2, 4, 0x801)), "images: magic number: got 0x00000801, needs 0x00000803");
    EXPECT_EQ(error(images(3, 2, 4, 0x03080000)), "images: magic number: got 0x03080000, needs 0x00000803");
    EXPECT_EQ(error(images(), labels({1}, 0x803)), "labels: magic number: got 0x00000803, needs 0x00000801");
    EXPECT_EQ(error(images(), without_last(labels(), 4)), "labels: got 7 bytes, needs at least 8");
    EXPECT_EQ(error(images(0)), "images: got 0 x 2 x 4 values, needs at least 1");
    EXPECT_EQ(error(images(3, 0, 4)), "images: got 3 x 0 x 4 values, needs at least 1");
}

TEST(Idx, RefusesTruncatedAndExtraBytes) {
    EXPECT_EQ(error(without_last(images())), "images: got 39 bytes, needs 40 for 3 x 2 x 4 values");
    EXPECT_EQ(error(with_extra(images())), "images: got 41 bytes, needs 40 for 3 x 2 x 4 values");
    EXPECT_EQ(error(images(), without_last(labels())), "labels: got 10 bytes, needs 11 for 3 values");
    EXPECT_EQ(error(images(), with_extra(labels())), "labels: got 12 bytes, needs 11 for 3 values");
    EXPECT_EQ(error(gzip(without_last(images()))), "images: got 39 bytes, needs 40 for 3 x 2 x 4 values");
    EXPECT_EQ(error(gzip(with_extra(images()))),
              "images: got at least 41 bytes, needs 40 for 3 x 2 x 4 values");
}

TEST(Idx, RefusesImagesWithoutTheirLabels) {
    EXPECT_EQ(error(images(), labels({1, 2})), "labels: got 2 labels, needs 3 as images has images");
    EXPECT_EQ(error(images(), labels({1, 2, 3, 4})), "labels: got 4 labels, needs 3 as images has images");
}

// Lengths whose product does not fit 64 bits, or would fit memory only if it were true.
TEST(Idx, LengthsThatLieAllocateNothing) {
    const auto header = [](uint32_t count, uint32_t height, uint32_t width) {
        Bytes bytes;
        for (const uint32_t value : {0x803u, count, height, width}) append_big_endian(bytes, value);
        return bytes;
    };
    EXPECT_EQ(error(header(0xffffffff, 0xffffffff, 0xffffffff)),
              "images: got 4294967295 x 4294967295 x 4294967295 values, needs at most 1073741824");
    EXPECT_EQ(error(header(1u << 22, 1u << 21, 1u << 21)),
              "images: got 4194304 x 2097152 x 2097152 values, needs at most 1073741824");
    EXPECT_EQ(error(header(1u << 20, 32, 32)),
              "images: got 16 bytes, needs 1073741840 for 1048576 x 32 x 32 values");
    EXPECT_EQ(error(gzip(header(1u << 20, 32, 32))),
              "images: got 16 bytes, needs 1073741840 for 1048576 x 32 x 32 values");
}

TEST(Idx, RefusesDamagedCompression) {
    const Bytes good = gzip(images());
    EXPECT_EQ(error(without_last(good, 10)), "images: gzip data ends early: got " +
                                                 std::to_string(good.size() - 10) +
                                                 " bytes, 39 decompressed, needs more");
    EXPECT_EQ(error(Bytes(good.begin(), good.begin() + 5)),
              "images: gzip data ends early: got 5 bytes, 0 decompressed, needs more");
    Bytes wrong_checksum = good;
    wrong_checksum[good.size() - 5] ^= std::byte{1};
    EXPECT_EQ(error(wrong_checksum),
              "images: corrupt gzip data after 40 decompressed bytes: incorrect data check");
    Bytes wrong_method = good;
    wrong_method[2] = std::byte{9};
    EXPECT_EQ(error(wrong_method),
              "images: corrupt gzip data after 0 decompressed bytes: unknown compression method");
    EXPECT_EQ(error(with_extra(good)), "images: got 1 bytes after the end of the gzip data, needs none");
    // Any damaged byte gives an answer, never a crash.
    for (size_t i = 0; i < good.size(); ++i)
        for (const int bit : {0, 3, 7}) {
            Bytes damaged = good;
            damaged[i] ^= std::byte(1 << bit);
            try {
                parse(damaged);
            } catch (const FormatError&) {
            }
        }
}

// 64 MB of zeros in 64 KB: what is more than announced is never decompressed.
TEST(Idx, CompressionBombIsNotUnpacked) {
    Bytes bomb = images(1);
    bomb.resize(size_t{1} << 26);
    const Bytes compressed = gzip(bomb);
    ASSERT_LT(compressed.size(), 100000u);
    EXPECT_EQ(error(compressed, labels({0})), "images: got at least 25 bytes, needs 24 for 1 x 2 x 4 values");
    EXPECT_EQ(detail::gunzip(compressed, 25, "bomb").capacity(), 25u);
}

TEST(IdxDirectory, ReadsEitherPairOrBoth) {
    const test::TemporaryDirectory directory;
    const fs::path& path = directory.path();
    write_file(path / "t10k-images-idx3-ubyte", images(2));
    write_file(path / "t10k-labels-idx1-ubyte.gz", gzip(labels({6, 3})));
    write_file(path / "readme.txt", "");
    EXPECT_EQ(read_idx(path).labels, (std::vector<uint32_t>{6, 3}));
    // Compressed under a plain name, and plain under .gz, as browsers leave them.
    write_file(path / "train-images-idx3-ubyte.gz", images(1));
    write_file(path / "train-labels-idx1-ubyte", gzip(labels({9})));
    const Dataset both = read_idx(path);
    EXPECT_EQ(both.labels, (std::vector<uint32_t>{9, 6, 3}));
    EXPECT_EQ(both.classes, 10u);
    EXPECT_EQ(both.inputs.size(), 24u);
    EXPECT_EQ(both.example(0)[7], 7 / 255.0f);
    EXPECT_EQ(both.example(2)[7], 15 / 255.0f);
    fs::remove(path / "t10k-images-idx3-ubyte");
    fs::remove(path / "t10k-labels-idx1-ubyte.gz");
    EXPECT_EQ(read_idx(path).labels, std::vector<uint32_t>{9});
}

TEST(IdxDirectory, RefusesWhatIsMissingTwofoldOrUnlike) {
    const test::TemporaryDirectory directory;
    const fs::path& path = directory.path();
    const auto message = [&] { return message_of<FormatError>([&] { read_idx(path); }); };
    EXPECT_EQ(message(),
              path.string() +
                  ": got neither train-images-idx3-ubyte nor t10k-images-idx3-ubyte (or .gz), needs one "
                  "with its labels");
    write_file(path / "train-images-idx3-ubyte", images());
    EXPECT_EQ(message(),
              path.string() + ": got train-images-idx3-ubyte, needs train-labels-idx1-ubyte (or .gz) too");
    write_file(path / "train-labels-idx1-ubyte", labels());
    write_file(path / "t10k-labels-idx1-ubyte", labels({1}));
    EXPECT_EQ(message(),
              path.string() + ": got t10k-labels-idx1-ubyte, needs t10k-images-idx3-ubyte (or .gz) too");
    write_file(path / "t10k-images-idx3-ubyte", images(1, 3, 4));
    EXPECT_EQ(message(), path.string() + ": t10k images: got 3 x 4, needs 2 x 4 as the train images");
    write_file(path / "train-images-idx3-ubyte.gz", gzip(images()));
    EXPECT_EQ(
        message(),
        path.string() + ": got train-images-idx3-ubyte and train-images-idx3-ubyte.gz, needs one of them");
    fs::remove(path / "train-images-idx3-ubyte.gz");
    write_file(path / "t10k-images-idx3-ubyte", with_extra(images(1)));
    EXPECT_EQ(message(),
              (path / "t10k-images-idx3-ubyte").string() + ": got 25 bytes, needs 24 for 1 x 2 x 4 values");

    const auto file = path / "train-images-idx3-ubyte", missing = path / "missing";
    EXPECT_EQ(message_of<fs::filesystem_error>([&] { read_idx(file); }),
              file.string() + ": cannot be read: Not a directory");
    EXPECT_EQ(message_of<fs::filesystem_error>([&] { read_idx(missing); }),
              missing.string() + ": cannot be read: No such file or directory");
    fs::remove(file);
    fs::create_directory(file);
    EXPECT_EQ(message_of<fs::filesystem_error>([&] { read_idx(path); }),
              file.string() + ": cannot be read: it is a folder, needs a file");
}

// Facts about the MNIST test set: 10 000 pictures, this many of every digit, the first of them a 7.
TEST(IdxDirectory, ReadsMnist) {
    const char* shared = std::getenv("VKNORM_SHARED_DIR");
    const fs::path directory = fs::path(shared != nullptr ? shared : VKNORM_SHARED_DIR) / "data" / "mnist";
    if (!fs::exists(directory)) GTEST_SKIP() << "no MNIST files in " << directory;
    const Dataset data = read_idx(directory);
    EXPECT_EQ(data.size(), 10000u);
    EXPECT_EQ(data.image_width, 28u);
    EXPECT_EQ(data.image_height, 28u);
    EXPECT_EQ(data.classes, 10u);
    std::vector<int> counts(10);
    for (const uint32_t label : data.labels) ++counts[label];
    EXPECT_EQ(counts, (std::vector<int>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
    EXPECT_EQ(std::vector(data.labels.begin(), data.labels.begin() + 5),
              (std::vector<uint32_t>{7, 2, 1, 0, 4}));
    double sum = 0;
    for (const float value : data.inputs) sum += value;
    EXPECT_NEAR(sum / static_cast<double>(data.inputs.size()), 0.1325, 1e-4);
}

}  // namespace
}  // namespace vknorm
