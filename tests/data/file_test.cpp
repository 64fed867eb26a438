// What is read is a file, and what is written is there as a whole.
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
using test::contents;
using test::files_in;
using test::message_of;

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
    EXPECT_EQ(message_of<FileError>([&] { write_file(nowhere, "text"); }),
              nowhere.string() + ": cannot be written: No such file or directory");
    EXPECT_EQ(message_of<FileError>([&] { write_file("", "text"); }),
              "'': cannot be written: that is no name of a file");

    const fs::path taken = directory.path() / "taken";
    fs::create_directories(taken / "inside");
    EXPECT_EQ(message_of<FileError>([&] { write_file(taken, "text"); }),
              taken.string() + ": cannot be written: it is a folder, needs a file");
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

/// What is no file neither hangs nor is taken for an empty one.
TEST(ReadFile, SaysWhatIsNoFile) {
    const test::TemporaryDirectory directory;
    const auto refusal = [](const fs::path& file) {
        return message_of<FileError>([&] { detail::read_file(file); });
    };
    const fs::path folder = directory.path(), pipe = folder / "pipe", missing = folder / "missing";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(refusal(pipe), pipe.string() + ": cannot be read: it is a pipe, needs a file");
    EXPECT_EQ(refusal(folder), folder.string() + ": cannot be read: it is a folder, needs a file");
    EXPECT_EQ(refusal("/dev/zero"), "/dev/zero: cannot be read: it is a device, needs a file");
    EXPECT_EQ(refusal(missing), missing.string() + ": cannot be read: No such file or directory");
    EXPECT_EQ(refusal(""), "'': cannot be read: that is no name of a file");
    fs::create_symlink("loop", folder / "loop");
    EXPECT_EQ(refusal(folder / "loop"),
              (folder / "loop").string() + ": cannot be read: Too many levels of symbolic links");
}

TEST(ReadFile, TakesNoMoreThanIsAllowed) {
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "f";
    write_file(file, "four");
    EXPECT_EQ(detail::read_file(file, 4).size(), 4u);
    EXPECT_EQ(message_of<FormatError>([&] { detail::read_file(file, 3); }),
              file.string() + ": got 4 bytes, needs at most 3");
}

TEST(ReadFile, ReadsToTheEndWhateverTheSizeSays) {
    EXPECT_FALSE(contents("/proc/self/status").empty());
}

TEST(MakeFolder, NamesTheFolderAndTheReason) {
    const test::TemporaryDirectory directory;
    const fs::path folder = directory.path() / "a" / "b", file = directory.path() / "f";
    make_folder(folder);
    make_folder(folder);
    EXPECT_TRUE(fs::is_directory(folder));
    write_file(file, "");
    EXPECT_EQ(message_of<FileError>([&] { make_folder(file); }),
              file.string() + ": cannot be made: Not a directory");
    EXPECT_EQ(message_of<FileError>([&] { make_folder(file / "in"); }),
              (file / "in").string() + ": cannot be made: Not a directory");
}

}  // namespace
}  // namespace vknorm
