// What files and folders are taken for when nobody says what they are.
#include "app/experiment/found_data.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/data_files.hpp"

namespace {

using namespace lab;
using vknorm::test::message_of;
using vknorm::test::TemporaryDirectory;
namespace fs = std::filesystem;

using Names = std::vector<std::string>;

/// Files without content: names decide.
void make(const fs::path& folder, const Names& files) {
    for (const std::string& file : files) {
        fs::create_directories((folder / file).parent_path());
        std::ofstream(folder / file) << "";
    }
}

std::vector<fs::path> in(const fs::path& folder, const Names& names) {
    std::vector<fs::path> paths;
    for (const std::string& name : names) paths.push_back(folder / name);
    return paths;
}

TEST(FoundData, IsToldByNames) {
    struct Case {
        Names there, dropped;
        std::string found;  // with . for the folder of all
    };
    const Case cases[] = {
        {{"a.csv"}, {"a.csv"}, "csv:./a.csv"},
        {{"A.TSV"}, {"A.TSV"}, "csv:./A.TSV"},
        {{"a.txt"}, {"a.txt"}, "csv:./a.txt"},
        {{"a.csv.gz"}, {"a.csv.gz"}, "csv:./a.csv.gz"},
        {{"a#1.csv"}, {"a#1.csv"}, "csv:./a#1.csv"},
        {{"a.npz"}, {"a.npz"}, "npz:./a.npz"},
        {{"x.npy", "y.npy"}, {"x.npy"}, "npy:."},
        {{"x.npy", "y.npy"}, {""}, "npy:."},
        {{"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}, {"train-images-idx3-ubyte"}, "idx:."},
        {{"t10k-images.idx3-ubyte.gz", "t10k-labels.idx1-ubyte.gz"}, {""}, "idx:."},
        {{"m/raw/train-images-idx3-ubyte"}, {"m"}, "idx:./m"},
        {{"data_batch_1.bin", "batches.meta.txt"}, {"batches.meta.txt"}, "cifar:."},
        {{"train.bin", "test.bin", "fine_label_names.txt"}, {""}, "cifar:."},
        {{"cifar-10-batches-bin/data_batch_1.bin"}, {""}, "cifar:."},
        {{"cats/1.PNG", "dogs/1.jpeg"}, {""}, "images:."},
        {{"train/cats/1.png", "test/cats/1.png"}, {""}, "images:."},
        {{"cats/1.png", "dogs/1.jpg"}, {"cats", "dogs"}, "images:."},
        {{"x.npy", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
         {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
         "idx:."},
        {{"x.npy", "y.npy", "z.csv"}, {"x.npy", "y.npy"}, "npy:."}};
    for (const Case& one : cases) {
        const TemporaryDirectory folder;
        make(folder.path(), one.there);
        std::string found = text_of(find_data(in(folder.path(), one.dropped)));
        found.replace(found.find(folder.path().string()), folder.path().string().size(), ".");
        EXPECT_EQ(found, one.found);
    }
}

TEST(FoundData, WhatCannotBeOpenedIsRefusedByItsName) {
    const std::string all =
        "needs a table (.csv, .tsv, .txt), an .npz file, .npy, IDX or CIFAR files, or a folder with a "
        "folder of pictures for each class";
    struct Case {
        Names there, dropped;
        std::string refusal;
    };
    const Case cases[] = {
        {{}, {"a.csv"}, "/a.csv: got nothing, needs a file or a folder that is there"},
        {{}, {""}, ": got an empty folder, " + all},
        {{"a.pdf"}, {"a.pdf"}, "/a.pdf: got a file of another kind, " + all},
        {{"a.pdf", "b/c"}, {""}, ": got a folder with a.pdf, b, " + all},
        {{"1", "2", "3", "4", "5"}, {""}, ": got a folder with 1, 2, 3, 4 and 1 more, " + all},
        {{"a.csv", "b.csv"}, {""}, ": got a folder with a.csv, b.csv, needs one of its files"},
        {{"a.csv", "b.csv"}, {"a.csv", "b.csv"}, ": got a folder with a.csv, b.csv, needs one of its files"},
        {{"1.png"},
         {"1.png"},
         "/1.png: got one picture, needs a folder with a folder of pictures for each class"},
        {{"1.png", "2.png"},
         {""},
         ": got pictures without a class, needs the folder above, with a folder of pictures for each class"},
        {{"x.npy", "train-images-idx3-ubyte"},
         {""},
         ": got a folder with IDX and NumPy arrays, needs one of their files, or a folder with one kind"},
        {{"a/x.npy", "b/y.npy"},
         {"a/x.npy", "b/y.npy"},
         "/b/y.npy: got files of several folders, needs those of one folder"}};
    for (const Case& one : cases) {
        const TemporaryDirectory folder;
        make(folder.path(), one.there);
        const std::string message =
            message_of<std::invalid_argument>([&] { find_data(in(folder.path(), one.dropped)); });
        EXPECT_EQ(message, folder.path().string() + one.refusal);
    }
}

TEST(FoundData, FolderThatCannotBeReadSaysSo) {
    EXPECT_EQ(message_of<std::invalid_argument>([] { contents_of("/no/such"); }),
              "/no/such: cannot be read: No such file or directory");
    if (geteuid() == 0) GTEST_SKIP() << "root may read all";
    const TemporaryDirectory folder;
    fs::permissions(folder.path(), fs::perms::none);
    EXPECT_EQ(message_of<std::invalid_argument>([&] { find_data({folder.path()}); }),
              folder.path().string() + ": cannot be read: Permission denied");
    fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(FoundData, ShareStringInATextFileIsOne) {
    const TemporaryDirectory folder;
    const fs::path file = folder.path() / "a.txt";
    std::ofstream(file) << "see vknorm:noise=0.3&end";
    EXPECT_EQ(shared_text({file}), "see vknorm:noise=0.3&end");
    EXPECT_EQ(shared_text({file, file}), "");
    std::ofstream(file) << "1,2,a\n";
    EXPECT_EQ(shared_text({file}), "");
    EXPECT_EQ(shared_text({folder.path() / "b.txt"}), "") << "not there";
}

TEST(FoundData, NetworkAndBatchFitUnlessTheyWereChosen) {
    const TemporaryDirectory folder;
    make(folder.path(), {"x.npy"});
    Settings pictures;
    pictures.data = Data::file;
    pictures.data_file = text_of(find_data({folder.path()}));
    fit_to_data(pictures);
    EXPECT_EQ(pictures.hidden, (std::vector<uint32_t>{256, 128}));
    EXPECT_EQ(pictures.batch, 128u);

    Settings table = pictures;
    table.data_file = "csv:a.csv";
    table.model = Model::resnet8;
    fit_to_data(table);
    EXPECT_EQ(table.hidden, Settings{}.hidden);
    EXPECT_EQ(table.batch, Settings{}.batch);
    EXPECT_EQ(table.model, Model::mlp) << "there are no pictures";

    Settings chosen = pictures;
    chosen.hidden = {9};
    chosen.batch = 7;
    const Settings before = chosen;
    fit_to_data(chosen);
    EXPECT_EQ(chosen, before);
}

TEST(FoundData, WhatWasReadIsSaidInALine) {
    const TemporaryDirectory folder;
    const fs::path file = folder.path() / "a.csv";
    std::ofstream text(file);
    text << "x,kind\n";
    for (int i = 0; i < 10; ++i) text << i << (i % 2 == 0 ? ",cat\n" : ",dog\n");
    text.close();
    Settings settings;
    settings.data = Data::file;
    settings.data_file = text_of(find_data({file}));
    EXPECT_EQ(found_in_words(settings, make_run_data(settings).origin),
              "CSV a.csv: 10 examples of 1 feature, label 'kind'");
    DataOrigin origin;
    origin.facts = {"20 pictures of 3 x 2", "2 classes: 0, 1"};
    settings.data_file = "images:/pets";
    EXPECT_EQ(found_in_words(settings, origin), "Pictures pets: 20 pictures of 3 x 2, 2 classes: 0, 1");
}

}  // namespace
