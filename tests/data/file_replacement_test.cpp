// Files are replaced as a whole or stay what they were, whatever is there and whatever happens.
#include "data/file_replacement.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/file.hpp"
#include "support/data_files.hpp"

namespace vknorm {
namespace {

namespace fs = std::filesystem;
using detail::FileReplacement;
using test::contents;
using test::files_in;
using test::message_of;

std::string refusal(const fs::path& file) {
    return message_of<FileError>([&] { write_file(file, "text"); });
}

TEST(FileReplacement, KeepsTheFileUntilItIsFinished) {
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "f";
    write_file(file, "old");
    {
        const FileReplacement abandoned(file);
        EXPECT_EQ(contents(file), "old");
        EXPECT_EQ(files_in(directory.path()), 2u);
    }
    EXPECT_EQ(contents(file), "old");
    EXPECT_EQ(files_in(directory.path()), 1u);
    EXPECT_THROW(FileReplacement(directory.path() / "missing" / "f"), FileError) << "at once";
}

TEST(FileReplacement, RefusesWhatIsNoFile) {
    const test::TemporaryDirectory directory;
    const fs::path pipe = directory.path() / "pipe", socket = directory.path() / "socket",
                   folder = directory.path() / "folder", device = directory.path() / "device";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    fs::create_directory(folder);
    fs::create_symlink("/dev/full", device);
    const int open_socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{AF_UNIX, {}};
    socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(open_socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    close(open_socket);

    const auto text = [](const fs::path& file, const char* kind) {
        return file.string() + ": cannot be written: it is " + kind + ", needs a file";
    };
    EXPECT_EQ(refusal(pipe), text(pipe, "a pipe"));
    EXPECT_EQ(refusal(socket), text(socket, "a socket"));
    EXPECT_EQ(refusal(folder), text(folder, "a folder"));
    EXPECT_EQ(refusal(folder / ""), text(folder / "", "a folder"));
    EXPECT_EQ(refusal(folder / ".."), text(folder / "..", "a folder"));
    EXPECT_EQ(refusal("/dev/full"), text("/dev/full", "a device"));
    EXPECT_EQ(refusal(device), text(device, "a device"));
    EXPECT_EQ(files_in(directory.path()), 4u);
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(FileReplacement, RefusesWhatIsThereWhereItMust) {
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "f", link = directory.path() / "link";
    write_file(file, "mine", Existing::refused);
    fs::create_symlink("f", link);
    for (const fs::path& there : {file, link}) {
        const std::string needed = there.string() + ": is there already";
        EXPECT_EQ(message_of<FileError>([&] { write_file(there, "text", Existing::refused); }), needed);
        EXPECT_EQ(message_of<FileError>([&] { require_writable(there, Existing::refused); }), needed);
    }
    EXPECT_EQ(contents(file), "mine");

    const fs::path later = directory.path() / "later";
    FileReplacement replacement(later, Existing::refused);
    write_file(later, "from elsewhere, meanwhile");
    EXPECT_THROW(replacement.finish({}), FileError);
    EXPECT_EQ(contents(later), "from elsewhere, meanwhile");
}

TEST(FileReplacement, WritesWhereASymbolicLinkLeads) {
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "elsewhere" / "f", link = directory.path() / "link",
                   broken = directory.path() / "broken";
    fs::create_directory(file.parent_path());
    write_file(file, "old");
    fs::create_symlink("elsewhere/f", link);
    write_file(link, "new");
    EXPECT_EQ(contents(file), "new");
    EXPECT_TRUE(fs::is_symlink(link));

    fs::create_symlink("nowhere", broken);
    EXPECT_EQ(refusal(broken), broken.string() + ": cannot be written: it is a symbolic link to nothing");
    EXPECT_EQ(files_in(directory.path()), 3u);
}

TEST(FileReplacement, KeepsPermissions) {
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "f";
    const auto of_the_owner = fs::perms::owner_read | fs::perms::owner_write;
    write_file(file, "secret");
    fs::permissions(file, of_the_owner);
    write_file(file, "another secret");
    EXPECT_EQ(fs::status(file).permissions(), of_the_owner);
}

TEST(FileReplacement, ThatFailsLeavesNothing) {
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "f";
    write_file(file, "old");
    rlimit usual{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &usual), 0);
    const auto old_action = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1000, usual.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string text = message_of<FileError>([&] { write_file(file, std::string(2000, 'x')); });
    setrlimit(RLIMIT_FSIZE, &usual);
    std::signal(SIGXFSZ, old_action);
    EXPECT_EQ(text, file.string() + ": cannot be written: File too large");
    EXPECT_EQ(contents(file), "old");
    EXPECT_EQ(files_in(directory.path()), 1u);
}

TEST(FileReplacement, LeavesAloneWhatIsStillWritten) {
    const test::TemporaryDirectory directory;
    FileReplacement slow(directory.path() / "slow");
    write_file(directory.path() / "quick", "text");
    slow.finish({});
    EXPECT_TRUE(fs::exists(directory.path() / "slow"));
    EXPECT_EQ(files_in(directory.path()), 2u);
}

/// Writers are killed at any moment: a reader finds a whole file, and the next writer cleans up. VKNORM_KILLS
/// says how many, if not a few.
TEST(FileReplacement, OfAKilledProcessIsNeitherSeenNorLeft) {
    const char* const wanted = std::getenv("VKNORM_KILLS");
    const int kills = wanted ? std::atoi(wanted) : 20;
    constexpr size_t bytes = 300'000;
    constexpr useconds_t longest_life_us = 3000;
    const test::TemporaryDirectory directory;
    const fs::path file = directory.path() / "f", other = directory.path() / "other";
    write_file(file, std::string(bytes, 'z'));
    std::minstd_rand random(1);
    for (int kill_number = 0; kill_number < kills; ++kill_number) {
        const pid_t writer = fork();
        if (writer == 0)
            for (char letter = 'a';; letter = letter == 'y' ? 'a' : static_cast<char>(letter + 1))
                write_file(file, std::string(bytes, letter));
        usleep(static_cast<useconds_t>(random()) % longest_life_us);
        kill(writer, SIGKILL);
        waitpid(writer, nullptr, 0);
        const std::string text = contents(file);
        ASSERT_EQ(text, std::string(bytes, text.front()));
    }
    // Whenever those died, this one dies with a temporary at hand.
    std::array<int, 2> ready{};
    ASSERT_EQ(pipe(ready.data()), 0);
    const pid_t writer = fork();
    if (writer == 0) {
        const FileReplacement half(file);
        (void)!write(ready[1], "", 1);
        while (true) pause();
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
    EXPECT_EQ(files_in(directory.path()), 2u) << "it has left nothing: this shows nothing";
    write_file(other, "the next one");
    EXPECT_EQ(files_in(directory.path()), 2u);
}

}  // namespace
}  // namespace vknorm
