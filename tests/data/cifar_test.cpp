#include "data/cifar.hpp"

#include <gtest/gtest.h>

#include "support/data_files.hpp"

namespace vknorm {
namespace {

namespace fs = std::filesystem;
using test::Bytes;
using test::message_of;
using test::TemporaryDirectory;

/// A record for each of the labels; the pixels of picture i are i, but for the first one of each colour.
Bytes records(const std::vector<std::vector<int>>& labels) {
    Bytes bytes;
    for (size_t i = 0; i < labels.size(); ++i) {
        for (const int label : labels[i]) bytes.push_back(std::byte(label));
        for (int channel = 0; channel < 3; ++channel) {
            bytes.push_back(std::byte(100 + channel));
            bytes.resize(bytes.size() + 1023, std::byte(i));
        }
    }
    return bytes;
}

void write_ten(const fs::path& folder, int pictures = 1) {
    fs::create_directories(folder);
    for (int batch = 1; batch <= 5; ++batch)
        write_file(folder / ("data_batch_" + std::to_string(batch) + ".bin"),
                   records(std::vector<std::vector<int>>(static_cast<size_t>(pictures), {batch})));
    write_file(folder / "test_batch.bin", records({{9}, {0}}));
}

TEST(Cifar, ReadsTenClasses) {
    const TemporaryDirectory folder;
    write_ten(folder.path() / "cifar-10-batches-bin", 2);
    const CifarData data = read_cifar(folder.path());
    EXPECT_EQ(data.set, "10");
    EXPECT_EQ(data.files.size(), 6u);
    EXPECT_EQ(data.train.labels, (std::vector<uint32_t>{1, 1, 2, 2, 3, 3, 4, 4, 5, 5}));
    EXPECT_EQ(data.test.labels, (std::vector<uint32_t>{9, 0}));
    EXPECT_EQ(data.train.classes, 10u);
    EXPECT_EQ(data.train.shape(), (std::vector<uint32_t>{3, 32, 32}));
    EXPECT_EQ(data.train.features, 3072u);
    EXPECT_EQ(data.test.class_name(9), "9");
    for (int channel = 0; channel < 3; ++channel) {
        EXPECT_EQ(data.test.example(1)[1024 * channel], static_cast<float>(100 + channel) / 255.0f);
        EXPECT_EQ(data.test.example(1)[1024 * channel + 1023], 1 / 255.0f);
    }
    write_file(folder.path() / "cifar-10-batches-bin" / "batches.meta.txt",
               std::string("a\nb\nc\nd\ne\nf\ng\nh\ni\nship \r\n\n"));
    EXPECT_EQ(read_cifar(folder.path()).train.class_name(9), "ship");
    write_file(folder.path() / "cifar-10-batches-bin" / "batches.meta.txt", std::string("a\nb\n"));
    EXPECT_NE(message_of<FormatError>([&] { read_cifar(folder.path()); }).find("got 2 names, needs 10"),
              std::string::npos);
}

TEST(Cifar, ReadsHundredClassesAndTheirSuperclasses) {
    const TemporaryDirectory folder;
    write_file(folder.path() / "train.bin", records({{3, 40}, {19, 99}}));
    write_file(folder.path() / "test.bin", records({{0, 7}}));
    const CifarData fine = read_cifar(folder.path()), coarse = read_cifar(folder.path(), {.set = "coarse"});
    EXPECT_EQ(fine.set, "100");
    EXPECT_EQ(fine.train.labels, (std::vector<uint32_t>{40, 99}));
    EXPECT_EQ(fine.train.classes, 100u);
    EXPECT_EQ(coarse.train.labels, (std::vector<uint32_t>{3, 19}));
    EXPECT_EQ(coarse.train.classes, 20u);
    EXPECT_EQ(coarse.train.inputs, fine.train.inputs);
    write_ten(folder.path());
    EXPECT_NE(message_of<FormatError>([&] { read_cifar(folder.path()); }).find("needs a choice of one"),
              std::string::npos);
    EXPECT_EQ(read_cifar(folder.path(), {.set = "10"}).test.size(), 2u);
}

TEST(Cifar, RefusesWhatIsDamaged) {
    const auto error = [](const Bytes& bytes) {
        Dataset data;
        return message_of<FormatError>(
            [&] { detail::parse_cifar(bytes, "f", {.bytes = 1, .at = 0, .classes = 10}, data); });
    };
    Bytes bytes = records({{1}, {2}});
    EXPECT_EQ(error({}), "f: got 0 bytes, needs a whole number of records of 3073");
    bytes.pop_back();
    EXPECT_EQ(error(bytes), "f: got 6145 bytes, needs a whole number of records of 3073");
    EXPECT_EQ(error(records({{1}, {10}})), "f: picture 2: got label 10, needs a class, 0 to 9");

    const TemporaryDirectory folder;
    EXPECT_EQ(message_of<FormatError>([&] { read_cifar(folder.path()); }),
              folder.path().string() +
                  ": got no data_batch_1.bin, needs it, or train.bin, or a folder "
                  "cifar-10-batches-bin or cifar-100-binary");
    EXPECT_NE(
        message_of<FormatError>([&] { read_cifar(folder.path(), {.set = "20"}); }).find("got the choice 20"),
        std::string::npos);
    write_ten(folder.path());
    EXPECT_NE(message_of<TooLarge>([&] {
                  read_cifar(folder.path(), {.max_bytes = 5 * 3072 * 4 - 1});
              }).find("got 5 pictures with the files beside it, needs at most 4, which are 61439 bytes"),
              std::string::npos);
    EXPECT_EQ(read_cifar(folder.path(), {.max_bytes = 5 * 3072 * 4}).train.size(), 5u);
    fs::remove(folder.path() / "data_batch_4.bin");
    EXPECT_NE(
        message_of<FileError>([&] { read_cifar(folder.path()); }).find("data_batch_4.bin: cannot be read"),
        std::string::npos);
}

}  // namespace
}  // namespace vknorm
