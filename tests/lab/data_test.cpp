// From a file to the examples of a run, and what is said of them.
#include "app/experiment/data.hpp"

#include <gtest/gtest.h>
#include <set>

#include "support/data_files.hpp"
#include "support/npz.hpp"
#include "support/png.hpp"

namespace {

using namespace lab;
using vknorm::test::append_big_endian;
using vknorm::test::Bytes;
using vknorm::test::message_of;
using vknorm::test::TemporaryDirectory;
using Facts = std::vector<std::string>;

/// A pair of files with pictures whose first values are their labels.
void write_pair(const std::filesystem::path& folder, const std::string& part,
                const std::vector<uint8_t>& labels, uint32_t width = 3, uint32_t height = 2) {
    Bytes images, classes;
    const auto count = static_cast<uint32_t>(labels.size());
    for (const uint32_t value : {0x803u, count, height, width}) append_big_endian(images, value);
    for (const uint32_t value : {0x801u, count}) append_big_endian(classes, value);
    for (const uint8_t label : labels) {
        classes.push_back(std::byte{label});
        images.resize(images.size() + size_t{width} * height, std::byte{label});
    }
    vknorm::write_file(folder / (part + "-images-idx3-ubyte"), images);
    vknorm::write_file(folder / (part + "-labels-idx1-ubyte"), classes);
}

Settings of_file(const std::string& file, uint64_t seed = 1) {
    Settings settings;
    settings.data = Data::file;
    settings.data_file = file;
    settings.seed = seed;
    return settings;
}

/// With all that is behind a file's name.
RunData read(const std::filesystem::path& file, const char* kind, const std::string& choice = "") {
    return make_run_data(of_file(kind + file.string() + choice));
}

std::string refusal(const std::filesystem::path& file, const char* kind, const std::string& choice = "") {
    const std::string message = message_of<std::invalid_argument>([&] { read(file, kind, choice); });
    EXPECT_EQ(message.find(file.string() + ": "), 0u) << message;
    return message.substr(std::min(message.size(), file.string().size() + 2));
}

std::vector<uint8_t> alternating(size_t size, uint8_t classes = 2) {
    std::vector<uint8_t> labels(size);
    for (size_t i = 0; i < size; ++i) labels[i] = static_cast<uint8_t>(i % classes);
    return labels;
}

TEST(RunData, OfficialTestSetIsTheTest) {
    const TemporaryDirectory folder;
    write_pair(folder.path(), "train", alternating(20));
    const RunData alone = read(folder.path(), "idx:");
    EXPECT_EQ(alone.train->size(), 16u);
    EXPECT_EQ(alone.test->size(), 4u);
    EXPECT_EQ(alone.origin.test_set, "one fifth of the examples (4 of 20), drawn with seed 1");
    EXPECT_EQ(alone.origin.facts, (Facts{"20 pictures of 3 x 2", "2 classes: 0, 1"}));

    write_pair(folder.path(), "t10k", std::vector<uint8_t>(1200, 2));
    const RunData both = read(folder.path(), "idx:");
    EXPECT_EQ(both.train->size(), 20u);
    EXPECT_EQ(both.test->size(), 1200u);
    EXPECT_EQ(std::set(both.train->labels.begin(), both.train->labels.end()), (std::set<uint32_t>{0, 1}));
    EXPECT_EQ(std::set(both.test->labels.begin(), both.test->labels.end()), std::set<uint32_t>{2});
    EXPECT_EQ(both.train->classes, 3u);
    EXPECT_EQ(both.origin.test_set, "t10k, 1 200 pictures");
    EXPECT_EQ(both.origin.facts, (Facts{"1 220 pictures of 3 x 2", "3 classes: 0, 1, 2"}));
    EXPECT_EQ(both.origin.files.size(), 4u);
}

TEST(RunData, SetOfAFolderIsChosen) {
    const TemporaryDirectory folder;
    write_pair(folder.path(), "emnist-letters-train", {1, 2, 3, 26, 1, 2});
    write_pair(folder.path(), "emnist-digits-train", alternating(10));
    const RunData letters = read(folder.path(), "idx:", "#letters");
    EXPECT_EQ(letters.train->classes, 26u);
    EXPECT_EQ(letters.origin.facts, (Facts{"emnist-letters", "6 pictures of 3 x 2", "26 classes: 1 to 26"}));
    EXPECT_NE(message_of<vknorm::FormatError>([&] { read(folder.path(), "idx:"); }).find("digits"),
              std::string::npos);
}

TEST(RunData, TableIsToldInWords) {
    const TemporaryDirectory folder;
    const auto file = folder.path() / "iris#1.csv";
    std::string text = "Id;length;Species;width\n";
    for (int i = 1; i <= 10; ++i)
        text += std::to_string(i) + ";" + std::to_string(i % 3) + ",5;" +
                (i % 2 == 0 ? "setosa" : "virginica") + ";1\n";
    vknorm::write_file(file, text);
    const RunData data = read(file, "csv:");
    EXPECT_EQ(data.origin.facts,
              (Facts{"10 examples of 2 features", "2 classes: setosa, virginica",
                     "separated by semicolons, with decimal commas", "a header",
                     "label: column 3 ('Species')", "left out: row numbers, column 1 ('Id')"}));
    ASSERT_TRUE(data.origin.table);
    EXPECT_EQ(data.origin.table->label_column, 3u);
    EXPECT_EQ(data.train->class_names, (Facts{"setosa", "virginica"}));
    EXPECT_EQ(read(file, "csv:", "#species").train->class_names, data.train->class_names)
        << "the name keeps its #";
}

TEST(RunData, NothingToLearnIsRefusedWithTheReason) {
    const TemporaryDirectory folder;
    const auto table = folder.path() / "one.csv";
    vknorm::write_file(table, "1,2,cat\n2,2,cat\n1,3,cat\n4,2,cat\n1,0,cat\n");
    const std::string one_class = "', needs two: there is nothing to tell apart";
    EXPECT_EQ(refusal(table, "csv:"), "got one class only, 'cat" + one_class);
}

TEST(RunData, PicturesOfOneClassFewOrTooLargeAreRefused) {
    const TemporaryDirectory folder;
    write_pair(folder.path(), "train", std::vector<uint8_t>(9, 7));
    EXPECT_EQ(refusal(folder.path(), "idx:"),
              "got one class only, '7', needs two: there is nothing to tell apart");
    write_pair(folder.path(), "train", alternating(4));
    EXPECT_EQ(refusal(folder.path(), "idx:"), "got 4 examples, needs 5 to hold some back for the test");
    write_pair(folder.path(), "train", alternating(5), 300, 250);
    EXPECT_EQ(refusal(folder.path(), "idx:"),
              "got pictures of 300 x 250, needs pictures of at most 254 x 254, or as many values: 65 000");
    write_pair(folder.path(), "train", alternating(5), 190, 158);
    EXPECT_EQ(read(folder.path(), "idx:").train->features, 30020u);
}

TEST(RunData, FoldersOfPicturesAreReadAndScaled) {
    const TemporaryDirectory folder;
    for (int i = 0; i < 10; ++i) {
        const auto of_class = folder.path() / (i % 2 == 0 ? "cat" : "dog");
        vknorm::make_folder(of_class);
        vknorm::write_file(of_class / (std::to_string(i) + ".png"),
                           vknorm::test::png(4, 2, 2, Bytes(2 * 13)));
    }
    const RunData whole = read(folder.path(), "images:");
    EXPECT_EQ(whole.train->shape(), (std::vector<uint32_t>{3, 2, 4}));
    EXPECT_EQ(whole.origin.facts, (Facts{"10 pictures of 4 x 2 in colour", "2 classes: cat, dog"}));
    EXPECT_EQ(read(folder.path(), "images:", "#6x5").train->shape(), (std::vector<uint32_t>{3, 6, 5}));
    for (const char* const choice : {"#6", "#6x", "#x6", "#0x5", "#6x5x4", "#2000x5"})
        EXPECT_EQ(refusal(folder.path(), "images:", choice),
                  "got '" + std::string(choice) + "', needs #HEIGHTxWIDTH");
    EXPECT_TRUE(is_pictures(of_file("images:there")));
    EXPECT_FALSE(is_pictures(of_file("csv:there")));
}

TEST(RunData, ArraysAndRecordsAreRead) {
    using vknorm::test::npy;
    const TemporaryDirectory folder;
    const auto file = folder.path() / "set.npz";
    const auto header = [](const char* type, const char* shape) {
        return std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
    };
    const Bytes x = npy(header("|u1", "(2, 3, 2, 1)"), std::vector<uint8_t>(12)),
                y = npy(header("|u1", "(2,)"), std::vector<uint8_t>{0, 1});
    vknorm::write_file(
        file, vknorm::test::npz(
                  {{"x_train.npy", x}, {"y_train.npy", y}, {"x_test.npy", x}, {"y_test.npy", y}}, true));
    const RunData last = read(file, "npz:"), first = read(file, "npz:", "#first");
    EXPECT_EQ(last.train->shape(), (std::vector<uint32_t>{1, 3, 2}));
    EXPECT_EQ(first.train->shape(), (std::vector<uint32_t>{3, 2, 1}));
    EXPECT_EQ(last.origin.facts,
              (Facts{"x_train, y_train, x_test, y_test", "4 pictures of 2 x 3", "2 classes: 0, 1"}));
    EXPECT_EQ(last.origin.test_set, "test arrays, 2 pictures");
    EXPECT_EQ(refusal(file, "npz:", "#second"), "got '#second', needs #first|last");

    for (const char* const part : {"train.bin", "test.bin"}) {
        Bytes records(2 * 3074);
        records[1] = std::byte{5};
        vknorm::write_file(folder.path() / part, records);
    }
    const RunData cifar = read(folder.path(), "cifar:");
    EXPECT_EQ(cifar.origin.facts,
              (Facts{"CIFAR-100", "4 pictures of 32 x 32 in colour", "100 classes: 0 to 99"}));
    EXPECT_EQ(cifar.origin.test_set, "test, 2 pictures");
    EXPECT_EQ(refusal(folder.path(), "cifar:", "#coarse"),
              "got one class only, '0', needs two: there is nothing to tell apart");
}

TEST(RunData, ShapesAreMade) {
    Settings settings;
    settings.data = Data::shapes;
    const RunData data = make_run_data(settings);
    EXPECT_EQ(data.train->size(), 4000u);
    EXPECT_EQ(data.test->size(), 1000u);
    EXPECT_EQ(data.test->shape(), (std::vector<uint32_t>{3, 32, 32}));
    EXPECT_TRUE(data.origin.facts.empty());
    EXPECT_FALSE(is_planar(Data::shapes));
}

TEST(RunData, LargestFileIsASetting) {
    const TemporaryDirectory folder;
    write_pair(folder.path(), "train", alternating(20));
    Settings settings = of_file("idx:" + folder.path().string());
    settings.max_bytes = 4 * 20 * 6 - 1;
    const std::string message = message_of<std::invalid_argument>([&] { make_run_data(settings); });
    EXPECT_NE(message.find("got 20 x 2 x 3 values"), std::string::npos) << message;
    EXPECT_NE(message.find("--max-bytes allows more"), std::string::npos) << message;
    ++settings.max_bytes;
    EXPECT_EQ(make_run_data(settings).train->size(), 16u);
}

TEST(RunData, NumbersAreReadable) {
    EXPECT_EQ(grouped(7), "7");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(10000), "10 000");
    EXPECT_EQ(grouped(1234567), "1 234 567");
    EXPECT_EQ(batch_note(32, 32), "");
    EXPECT_EQ(batch_note(128, 48), "Batch size: 48, all examples to train on, in place of 128");
}

}  // namespace
