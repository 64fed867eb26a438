#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vknorm/images.hpp>

#include "data/picture.hpp"
#include "support/data_files.hpp"
#include "support/png.hpp"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

namespace vknorm {
namespace {

namespace fs = std::filesystem;
using test::Bytes;
using test::message_of;
using test::png;
using test::TemporaryDirectory;
using ::testing::HasSubstr;

/// Values count up from `first`, row by row.
Bytes counting_png(uint32_t width, uint32_t height, int kind = 0, int first = 0) {
    const uint32_t channels = kind == 0 ? 1 : kind == 2 ? 3 : 4;
    Bytes rows;
    int value = first;
    for (uint32_t row = 0; row < height; ++row) {
        rows.push_back({});
        for (uint32_t i = 0; i < width * channels; ++i) rows.push_back(std::byte(value++ & 0xff));
    }
    return png(width, height, kind, rows);
}

Bytes jpeg(int width, int height, uint8_t red, uint8_t green, uint8_t blue) {
    std::vector<uint8_t> pixels;
    for (int i = 0; i < width * height; ++i) pixels.insert(pixels.end(), {red, green, blue});
    Bytes file;
    constexpr int best = 100;
    stbi_write_jpg_to_func(
        [](void* to, void* data, int size) {
            const auto part = std::span(static_cast<const std::byte*>(data), static_cast<size_t>(size));
            static_cast<Bytes*>(to)->insert(static_cast<Bytes*>(to)->end(), part.begin(), part.end());
        },
        &file, width, height, 3, pixels.data(), best);
    return file;
}

void put(const fs::path& file, const Bytes& bytes) {
    make_folder(file.parent_path());
    write_file(file, bytes);
}

std::vector<float> bytes_of(std::vector<int> values) {
    std::vector<float> result;
    for (const int value : values) result.push_back(static_cast<float>(value) / 255.0f);
    return result;
}

TEST(Images, ClassesAreFolders) {
    const TemporaryDirectory folder;
    put(folder.path() / "dog" / "b.PNG", counting_png(3, 2, 0, 10));
    put(folder.path() / "dog" / "a.png", counting_png(3, 2));
    put(folder.path() / "cat" / "x.png", counting_png(3, 2, 0, 100));
    put(folder.path() / "cat" / "notes.txt", {});
    fs::create_directory(folder.path() / "empty");
    const ImagesData all = read_images(folder.path());
    EXPECT_EQ(all.train.class_names, (std::vector<std::string>{"cat", "dog"}));
    EXPECT_EQ(all.train.labels, (std::vector<uint32_t>{0, 1, 1}));
    EXPECT_EQ(all.train.shape(), (std::vector<uint32_t>{1, 2, 3}));
    EXPECT_EQ(all.train.inputs,
              bytes_of({100, 101, 102, 103, 104, 105, 0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}));
    EXPECT_EQ(all.test.size(), 0u);
    EXPECT_EQ(all.train_name, "");
}

TEST(Images, OneInColourMakesAllSo) {
    const TemporaryDirectory folder;
    put(folder.path() / "train" / "a" / "1.png", counting_png(2, 1));
    put(folder.path() / "train" / "b" / "1.jpeg", jpeg(2, 1, 200, 100, 50));
    put(folder.path() / "val" / "b" / "1.png", counting_png(2, 1, 6, 20));
    const ImagesData all = read_images(folder.path());
    EXPECT_EQ(all.train.shape(), (std::vector<uint32_t>{3, 1, 2}));
    EXPECT_EQ(std::vector<float>(all.train.inputs.begin(), all.train.inputs.begin() + 6),
              bytes_of({0, 1, 0, 1, 0, 1}));
    const std::vector<int> expected = {200, 200, 100, 100, 50, 50};
    for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(all.train.inputs[6 + i] * 255, expected[i], 3) << "JPEG loses";
    EXPECT_EQ(all.test_name, "val");
    EXPECT_EQ(all.test.inputs, bytes_of({20, 24, 21, 25, 22, 26})) << "alpha is left out";
    EXPECT_EQ(all.test.labels, std::vector<uint32_t>{1});
    EXPECT_EQ(all.test.classes, 2u);
}

TEST(Images, SizesAgreeOrAreScaled) {
    const TemporaryDirectory folder;
    put(folder.path() / "a" / "1.png", counting_png(4, 2));
    put(folder.path() / "b" / "1.png", counting_png(2, 4));
    EXPECT_EQ(message_of<FormatError>([&] { read_images(folder.path()); }),
              (folder.path() / "b" / "1.png").string() +
                  ": got 2 x 4 pixels, needs 4 x 2 as the first one has, or a size to scale all to, such as "
                  "#32x32");
    const Dataset same = read_images(folder.path(), {.height = 2, .width = 2}).train;
    EXPECT_EQ(same.shape(), (std::vector<uint32_t>{1, 2, 2}));
    const std::vector<double> expected = {0.5, 2.5, 4.5, 6.5, 1, 2, 5, 6};
    for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_FLOAT_EQ(same.inputs[i], static_cast<float>(expected[i] / 255));
    const Dataset larger = read_images(folder.path(), {.height = 4, .width = 3}).train;
    EXPECT_FLOAT_EQ(larger.inputs[0], static_cast<float>((0 + 1 / 3.0) / (4 / 3.0) / 255));
    EXPECT_EQ(larger.inputs[3], larger.inputs[0]) << "a row twice";
    EXPECT_EQ(larger.features, 12u);
    EXPECT_THAT(message_of<std::invalid_argument>([&] { read_images(folder.path(), {.height = 2}); }),
                HasSubstr("got 2, 0, needs both or neither"));
}

TEST(Images, WhatIsNoPictureIsRefused) {
    const TemporaryDirectory folder;
    EXPECT_THAT(message_of<FormatError>([&] { read_images(folder.path()); }), HasSubstr("got no picture"));
    put(folder.path() / "train" / "a" / "1.png", counting_png(2, 2));
    put(folder.path() / "test" / "new" / "1.png", counting_png(2, 2));
    EXPECT_THAT(message_of<FormatError>([&] { read_images(folder.path()); }),
                HasSubstr("test/new: got a class that no picture to train on has"));
    fs::remove_all(folder.path() / "test");
    EXPECT_THAT(message_of<TooLarge>([&] { read_images(folder.path(), {.max_bytes = 15}); }),
                HasSubstr("got 1 pictures of 2 x 2, needs at most 3 values, which are 15 bytes"));
    const auto refused = [&](const Bytes& file) {
        put(folder.path() / "train" / "a" / "1.png", file);
        const std::string message = message_of<FormatError>([&] { read_images(folder.path()); });
        EXPECT_THAT(message, HasSubstr("train/a/1.png: got "));
        return message;
    };
    EXPECT_THAT(refused({}), HasSubstr("needs PNG or JPEG"));
    EXPECT_THAT(refused(Bytes(100, std::byte{7})), HasSubstr("needs PNG or JPEG"));
    EXPECT_THAT(refused(png(0x4000, 0x2000, 0, {})), HasSubstr("needs at most 67108864 of them"));
    EXPECT_THAT(refused(png(0x7fffffff, 0x7fffffff, 2, {})), HasSubstr("cannot be read"));
    EXPECT_THAT(refused(png(2, 2, 0, Bytes(3))), HasSubstr("cannot be read"));
    const Bytes whole = counting_png(7, 5, 2), photo = jpeg(20, 20, 10, 200, 30);
    for (const Bytes* const file : {&whole, &photo})
        for (size_t bytes = 0; bytes < file->size(); bytes += 5) {
            // A JPEG file that ends early may be taken for a whole one.
            try {
                detail::decode_picture(std::span(*file).first(bytes), "cut", true);
            } catch (const FormatError&) {
            }
            Bytes bad = *file;
            bad[bytes] ^= std::byte{0x5a};
            try {
                detail::decode_picture(bad, "bad", true);
            } catch (const FormatError&) {
            }
        }
}

/// Two pixels that decompress to 20 MB.
TEST(Images, BombsTakeNoMemory) {
    const Bytes bomb = png(2, 1, 0, Bytes(20'000'000));
    EXPECT_LT(bomb.size(), 40'000u);
    EXPECT_THAT(message_of<FormatError>([&] { detail::decode_picture(bomb, "bomb", false); }),
                HasSubstr("outofmem"));
}

}  // namespace
}  // namespace vknorm
