// Files are replaced as a whole or stay what they were.
#include "data/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <vknorm/file.hpp>

#include "support/data_files.hpp"

namespace vknorm {
namespace {

namespace fs = std::filesystem;
using test::message_of;

std::string contents(const fs::path& file) {
    const detail::Bytes bytes = detail::read_file(file);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

size_t files_in(const fs::path& folder) {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
}

TEST(WriteFile, ReplacesWhatIsThere) {
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "f";
    for (const std::string& text :
         {std::string("a longer text"), std::string("short"), std::string("a\0b\n", 4), std::string()}) {
        write_file(file, text);
        EXPECT_EQ(contents(file), text);
        write_file(file, std::as_bytes(std::span(text)));
        EXPECT_EQ(contents(file), text);
    }
    EXPECT_EQ(files_in(directory.path()), 1u) << "no temporary is left";
}

TEST(WriteFile, GivesTheUsualPermissions) {
    const test::TemporaryDirectory directory;
    const mode_t mask = umask(0027);
    write_file(directory.path() / "f", "text");
    umask(mask);
    struct stat status {};
    ASSERT_EQ(stat((directory.path() / "f").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(WriteFile, NamesTheFileThatCannotBeWritten) {
    const test::TemporaryDirectory directory;
    const fs::path nowhere = directory.path() / "missing" / "f";
    const std::string text = message_of<fs::filesystem_error>([&] { write_file(nowhere, "text"); });
    EXPECT_NE(text.find("cannot write"), std::string::npos) << text;
    EXPECT_NE(text.find(nowhere.string()), std::string::npos) << text;
    EXPECT_NE(text.find("No such file or directory"), std::string::npos) << text;

    const fs::path taken = directory.path() / "taken";
    fs::create_directories(taken / "inside");
    EXPECT_THROW(write_file(taken, "text"), fs::filesystem_error);
    EXPECT_EQ(files_in(directory.path()), 1u) << "no temporary is left";
}

/// Writers of one file do not disturb each other: it holds what one of them wrote.
TEST(WriteFile, ManyMayWriteTheSame) {
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "f";
    std::vector<std::thread> writers;
    for (char letter = 'a'; letter < 'e'; ++letter)
        writers.emplace_back([&, letter] {
            for (int i = 0; i < 20; ++i) write_file(file, std::string(50000, letter));
        });
    for (std::thread& writer : writers) writer.join();
    const std::string text = contents(file);
    EXPECT_EQ(text, std::string(50000, text.front()));
    EXPECT_EQ(files_in(directory.path()), 1u);
}

TEST(FileReplacement, KeepsTheFileUntilItIsFinished) {
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "f";
    write_file(file, "old");
    {
        const detail::FileReplacement abandoned(file);
        EXPECT_EQ(contents(file), "old");
        EXPECT_EQ(files_in(directory.path()), 2u);
    }
    EXPECT_EQ(contents(file), "old");
    EXPECT_EQ(files_in(directory.path()), 1u);
    EXPECT_THROW(detail::FileReplacement(directory.path() / "missing" / "f"), fs::filesystem_error)
        << "at once";
}

}  // namespace
}  // namespace vknorm
