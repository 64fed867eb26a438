#include "data/idx.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <numeric>

#include "data/file.hpp"
#include "support/data_files.hpp"
#include "support/places.hpp"

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
    EXPECT_EQ(error(images(), labels({1}, 0x803)),
              "labels: magic number: got 0x00000803, needs 0x00000801 or 0x00000c02");
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
    const std::string most = "needs at most 268435456, which are 1073741824 bytes as float32";
    EXPECT_EQ(error(header(0xffffffff, 0xffffffff, 0xffffffff)),
              "images: got 4294967295 x 4294967295 x 4294967295 values, " + most);
    EXPECT_EQ(error(header(1u << 22, 1u << 21, 1u << 21)),
              "images: got 4194304 x 2097152 x 2097152 values, " + most);
    EXPECT_EQ(error(header(0xffffffff, 0xffffffff, 0)),
              "images: got 4294967295 x 4294967295 x 0 values, needs at least 1");
    EXPECT_EQ(error(header(1u << 18, 32, 32), labels({0})),
              "labels: got 1 labels, needs 262144 as images has images");
    Bytes many_labels;
    for (const uint32_t value : {0x801u, 1u << 18}) append_big_endian(many_labels, value);
    EXPECT_EQ(error(header(1u << 18, 32, 32), many_labels),
              "labels: got 8 bytes, needs 262152 for 262144 values");
    many_labels.resize(8 + (1u << 18));
    EXPECT_EQ(error(header(1u << 18, 32, 32), many_labels),
              "images: got 16 bytes, needs 268435472 for 262144 x 32 x 32 values");
    EXPECT_EQ(error(gzip(header(1u << 18, 32, 32)), many_labels),
              "images: got 16 bytes, needs 268435472 for 262144 x 32 x 32 values");
}

// What says a gigabyte is refused by what it says; who has the memory raises the limit.
TEST(Idx, SizeIsLimitedByTheHeader) {
    Bytes bomb = images(1);
    bomb[4] = std::byte{8};  // 2^27 + 1 pictures of 2 x 4
    EXPECT_EQ(message_of<TooLarge>([&] { parse(gzip(bomb)); }),
              "images: got 134217729 x 2 x 4 values, needs at most 268435456, which are 1073741824 bytes as "
              "float32");
    const auto limited = [&](uint64_t max_bytes) {
        return detail::parse_idx({gzip(images()), "images"}, {labels(), "labels"}, max_bytes);
    };
    EXPECT_EQ(message_of<TooLarge>([&] { limited(95); }),
              "images: got 3 x 2 x 4 values, needs at most 23, which are 95 bytes as float32");
    EXPECT_EQ(limited(96).size(), 3u);
}

/// QMNIST's: eight numbers for each digit, the class first.
Bytes rows_of_labels(std::initializer_list<int> values) {
    Bytes bytes;
    for (const uint32_t value : {0xc02u, static_cast<uint32_t>(values.size()), 8u})
        append_big_endian(bytes, value);
    for (const int value : values)
        for (int column = 0; column < 8; ++column)
            append_big_endian(bytes, static_cast<uint32_t>(column == 0 ? value : 1000 + column));
    return bytes;
}

TEST(Idx, LabelsMayBeTheFirstOfManyColumns) {
    EXPECT_EQ(parse(images(), rows_of_labels({5, 0, 9})).labels, (std::vector<uint32_t>{5, 0, 9}));
    EXPECT_EQ(parse(images(), gzip(rows_of_labels({5, 0, 9}))).classes, 10u);
    EXPECT_EQ(error(images(), rows_of_labels({5, 0, -1})),
              "labels: label 3: got -1, needs a class, 0 to 255");
    EXPECT_EQ(error(images(), rows_of_labels({5, 256, 1})),
              "labels: label 2: got 256, needs a class, 0 to 255");
    EXPECT_EQ(error(images(), without_last(rows_of_labels({5, 0, 9}))),
              "labels: got 107 bytes, needs 108 for 3 x 8 values");
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
    Bytes padded_and_more = good;
    padded_and_more.resize(good.size() + 512);
    EXPECT_EQ(error(with_extra(padded_and_more)),
              "images: got 513 bytes after the end of the gzip data, needs none");
    Bytes half_member = good;
    half_member.insert(half_member.end(), good.begin(), good.begin() + 5);
    EXPECT_EQ(error(half_member), "images: gzip data ends early: got " + std::to_string(half_member.size()) +
                                      " bytes, 40 decompressed, needs more");
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

// As tar, dd, block gzip and `cat a.gz b.gz` leave it, and `gzip -dc` reads it.
TEST(Idx, ReadsMembersAndPadding) {
    const Bytes whole = images();
    Bytes members;
    for (const auto& [begin, end] : {std::pair{0, 7}, {7, 7}, {7, 16}, {16, 39}, {39, 40}}) {
        const Bytes member = gzip(std::span(whole).subspan(begin, end - begin));
        members.insert(members.end(), member.begin(), member.end());
    }
    Bytes padded = gzip(labels());
    padded.resize(padded.size() + 1024);
    const Dataset data = parse(members, padded);
    EXPECT_EQ(data.inputs, parse(images()).inputs);
    EXPECT_EQ(data.labels, parse(images()).labels);
    // So many that going through what is there for each would take minutes.
    const Bytes empty = gzip({});
    Bytes many = gzip(Bytes(size_t{1} << 22));
    for (int i = 0; i < 20000; ++i) many.insert(many.end(), empty.begin(), empty.end());
    EXPECT_EQ(detail::gunzip(many, size_t{1} << 23, "many").size(), size_t{1} << 22);
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

std::vector<uint32_t> values_of(const Dataset& data) {
    std::vector<uint32_t> values;
    for (const uint32_t label : data.labels)
        values.push_back(static_cast<uint32_t>(std::stoul(data.class_name(label))));
    return values;
}

using Values = std::vector<uint32_t>;

TEST(IdxDirectory, KeepsTheTestSetApart) {
    const test::TemporaryDirectory directory;
    const fs::path& path = directory.path();
    write_file(path / "t10k-images-idx3-ubyte", images(2));
    write_file(path / "t10k-labels-idx1-ubyte.gz", gzip(labels({6, 3})));
    write_file(path / "readme.txt", "");
    const IdxData alone = read_idx(path);
    EXPECT_EQ(values_of(alone.train), (Values{6, 3}));
    EXPECT_EQ(alone.test.size(), 0u);
    EXPECT_EQ(alone.train_name, "t10k");
    EXPECT_EQ(alone.test_name, "");
    // Compressed under a plain name, and plain under .gz, as browsers leave them.
    write_file(path / "train-images-idx3-ubyte.gz", images(1));
    write_file(path / "train-labels-idx1-ubyte", gzip(labels({9})));
    const IdxData both = read_idx(path);
    EXPECT_EQ(values_of(both.train), Values{9});
    EXPECT_EQ(values_of(both.test), (Values{6, 3}));
    EXPECT_EQ(both.train.classes, 9u) << "1 to 9";
    EXPECT_EQ(both.test.classes, 9u);
    EXPECT_EQ(both.train.inputs.size(), 8u);
    EXPECT_EQ(both.test.example(1)[7], 15 / 255.0f);
    EXPECT_EQ(both.train_name, "train");
    EXPECT_EQ(both.test_name, "t10k");
    EXPECT_EQ(both.set, "");
    EXPECT_EQ(both.files,
              (std::vector<fs::path>{path / "train-images-idx3-ubyte.gz", path / "train-labels-idx1-ubyte",
                                     path / "t10k-images-idx3-ubyte", path / "t10k-labels-idx1-ubyte.gz"}));
    fs::remove(path / "t10k-images-idx3-ubyte");
    fs::remove(path / "t10k-labels-idx1-ubyte.gz");
    EXPECT_EQ(values_of(read_idx(path).train), Values{9});
}

TEST(IdxDirectory, ReadsNamesAsArchivesHaveThem) {
    const std::array<const char*, 4> layouts[] = {
        {"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte",
         "t10k-labels.idx1-ubyte"},
        {"train-images-idx3-ubyte/train-images-idx3-ubyte", "train-labels-idx1-ubyte/train-labels-idx1-ubyte",
         "t10k-images-idx3-ubyte/t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte/t10k-labels-idx1-ubyte"},
        {"MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte",
         "MNIST/raw/t10k-images-idx3-ubyte", "MNIST/raw/t10k-labels-idx1-ubyte"},
        {"emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train-labels-idx1-ubyte.gz",
         "emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz"},
        {"qmnist-train-images-idx3-ubyte.gz", "qmnist-train-labels-idx2-int.gz",
         "qmnist-test-images-idx3-ubyte.gz", "qmnist-test-labels-idx2-int.gz"},
        {"Train_Images.IDX3-ubyte", "Train_Labels.IDX1-ubyte", "T10K_Images.IDX3-ubyte",
         "T10K_Labels.IDX1-ubyte"},
    };
    for (const auto& names : layouts) {
        SCOPED_TRACE(names[0]);
        const test::TemporaryDirectory directory;
        const auto write = [&](const char* name, const Bytes& bytes) {
            fs::create_directories((directory.path() / name).parent_path());
            write_file(directory.path() / name,
                       std::string_view(name).ends_with(".gz") ? gzip(bytes) : bytes);
        };
        const bool rows = std::string_view(names[1]).find("int") != std::string_view::npos;
        write(names[0], images(3));
        write(names[1], rows ? rows_of_labels({0, 1, 2}) : labels({0, 1, 2}));
        write(names[2], images(2));
        write(names[3], rows ? rows_of_labels({1, 2}) : labels({1, 2}));
        const IdxData data = read_idx(directory.path());
        EXPECT_EQ(values_of(data.train), (Values{0, 1, 2}));
        EXPECT_EQ(values_of(data.test), (Values{1, 2}));
    }
}

TEST(IdxDirectory, TakesOneOfEqualCopies) {
    const test::TemporaryDirectory directory;
    const fs::path& path = directory.path();
    fs::create_directory(path / "raw");
    write_file(path / "train-images-idx3-ubyte", images());
    write_file(path / "train-images-idx3-ubyte.gz", gzip(images()));
    write_file(path / "raw/train-images.idx3-ubyte", images());
    write_file(path / "train-labels-idx1-ubyte.gz", gzip(labels()));
    EXPECT_EQ(read_idx(path).train.size(), 3u);
    write_file(path / "train-labels-idx1-ubyte", labels({1, 0, 5}));
    const std::string plain = (path / "train-labels-idx1-ubyte").string();
    EXPECT_EQ(message_of<FormatError>([&] { read_idx(path); }),
              plain + ".gz: differs from " + plain + ", needs one of them");
    write_file(path / "train-labels-idx1-ubyte.gz", without_last(gzip(labels()), 6));
    EXPECT_NE(message_of<FormatError>([&] { read_idx(path); }).find(".gz: gzip data ends early"),
              std::string::npos);
}

TEST(IdxDirectory, SetIsChosenAmongMany) {
    const test::TemporaryDirectory directory;
    const fs::path& path = directory.path();
    const auto write = [&](const std::string& prefix, std::initializer_list<int> values) {
        write_file(path / (prefix + "train-images-idx3-ubyte"), images(static_cast<uint32_t>(values.size())));
        write_file(path / (prefix + "train-labels-idx1-ubyte"), labels(values));
    };
    write("emnist-letters-", {1, 26, 2});
    const IdxData letters = read_idx(path);
    EXPECT_EQ(letters.set, "emnist-letters");
    EXPECT_EQ(letters.train.classes, 26u) << "1 to 26";
    EXPECT_EQ(letters.train.labels, (Values{0, 25, 1}));
    EXPECT_EQ(letters.train.class_name(25), "26");
    write("emnist-digits-", {0, 9});
    write("", {0, 3});
    const auto message = [&](const std::string& set) {
        return message_of<FormatError>([&] { read_idx(path, {.set = set}); });
    };
    EXPECT_EQ(message(""), path.string() +
                               ": got the sets plain, emnist-digits, emnist-letters, needs a choice of "
                               "one, such as #letters");
    EXPECT_EQ(
        message("byclass"),
        path.string() + ": got the sets plain, emnist-digits, emnist-letters, needs one called byclass");
    EXPECT_EQ(message("ters"), path.string() +
                                   ": got the sets plain, emnist-digits, emnist-letters, needs one called "
                                   "ters");
    for (const char* name : {"letters", "emnist-letters", "Letters"})
        EXPECT_EQ(read_idx(path, {.set = name}).train.size(), 3u) << name;
    EXPECT_EQ(values_of(read_idx(path, {.set = "digits"}).train), (Values{0, 9}));
    EXPECT_EQ(values_of(read_idx(path, {.set = "plain"}).train), (Values{0, 3}));
}

TEST(IdxDirectory, SizeIsLimitedBeforeFilesAreRead) {
    const test::TemporaryDirectory directory;
    const fs::path images_file = directory.path() / "train-images-idx3-ubyte";
    write_file(images_file, images());
    write_file(directory.path() / "train-labels-idx1-ubyte", labels());
    EXPECT_EQ(
        message_of<TooLarge>([&] { read_idx(directory.path(), {.max_bytes = 95}); }),
        images_file.string() + ": got 3 x 2 x 4 values, needs at most 23, which are 95 bytes as float32");
    EXPECT_EQ(read_idx(directory.path(), {.max_bytes = 96}).train.size(), 3u);
    fs::resize_file(images_file, uint64_t{1} << 40);  // holes only
    EXPECT_EQ(message_of<TooLarge>([&] { read_idx(directory.path()); }),
              images_file.string() +
                  ": got 1099511627776 bytes, needs at most 268435456 values, which are "
                  "1073741824 bytes as float32");
}

TEST(IdxDirectory, RefusesWhatIsMissingOrUnlike) {
    const test::TemporaryDirectory directory;
    const fs::path& path = directory.path();
    const auto message = [&] { return message_of<FormatError>([&] { read_idx(path); }); };
    const std::string needs =
        ", needs train-images-idx3-ubyte or t10k-images-idx3-ubyte, with its labels, plain or .gz";
    EXPECT_EQ(message(), path.string() + ": got no file" + needs);
    write_file(path / "mnist.zip", "");
    write_file(path / "train-images-idx3-ubyte.gz.part", "");
    EXPECT_EQ(message(), path.string() + ": got mnist.zip, train-images-idx3-ubyte.gz.part" + needs);
    for (int i = 10; i < 25; ++i) write_file(path / ("a" + std::to_string(i)), "");
    EXPECT_EQ(message(), path.string() +
                             ": got a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, and 5 more" +
                             needs);
    for (const auto& entry : fs::directory_iterator(path)) fs::remove(entry.path());

    write_file(path / "train-images-idx3-ubyte", images());
    EXPECT_EQ(
        message(),
        path.string() + ": got train-images-idx3-ubyte, needs train-labels-idx1-ubyte too, plain or .gz");
    write_file(path / "train-labels-idx1-ubyte", labels());
    write_file(path / "t10k-labels-idx1-ubyte", labels({1}));
    EXPECT_EQ(message(),
              path.string() +
                  ": got t10k-labels-idx1-ubyte, train-images-idx3-ubyte, train-labels-idx1-ubyte, needs "
                  "t10k-images-idx3-ubyte too, plain or .gz");
    write_file(path / "t10k-images-idx3-ubyte", images(1, 3, 4));
    EXPECT_EQ(message(), path.string() + ": t10k images: got 3 x 4, needs 2 x 4 as the train images");
    write_file(path / "t10k-images-idx3-ubyte", with_extra(images(1)));
    EXPECT_EQ(message(),
              (path / "t10k-images-idx3-ubyte").string() + ": got 25 bytes, needs 24 for 1 x 2 x 4 values");

    const auto file = path / "train-images-idx3-ubyte", missing = path / "missing";
    EXPECT_EQ(message_of<fs::filesystem_error>([&] { read_idx(file); }),
              file.string() + ": cannot be read: Not a directory");
    EXPECT_EQ(message_of<fs::filesystem_error>([&] { read_idx(missing); }),
              missing.string() + ": cannot be read: No such file or directory");
}

// Facts about the MNIST test set: 10 000 pictures, this many of every digit, the first of them a 7.
TEST(IdxDirectory, ReadsMnist) {
    const fs::path directory = testing::shared_file("data/mnist");
    if (!fs::exists(directory)) GTEST_SKIP() << "no MNIST files in " << directory;
    const Dataset data = read_idx(directory).train;
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
