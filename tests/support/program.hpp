// Another program, run by a test: its exit status and what it printed.
#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace vknorm::testing {

inline std::string read_text(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

/// Started by the constructor. What it prints goes to files in `folder`.
class Program {
  public:
    /// `environment`: NAME=VALUE on top of this process's own; a NAME alone is taken out.
    Program(const std::filesystem::path& folder, std::vector<std::string> command,
            const std::vector<std::string>& environment = {})
        : out_(folder / "stdout.txt"), error_(folder / "stderr.txt") {
        std::vector<char*> arguments;
        for (std::string& argument : command) arguments.push_back(argument.data());
        arguments.push_back(nullptr);
        // Made here, so that the child finds them whenever it begins.
        std::ofstream(out_, std::ios::trunc);
        std::ofstream(error_, std::ios::trunc);
        process_ = fork();
        if (process_ != 0) return;
        std::signal(SIGINT, SIG_DFL);  // what a shell starts in its background would have it ignored
        for (const std::string& variable : environment) {
            const size_t equals = variable.find('=');
            if (equals == std::string::npos)
                unsetenv(variable.c_str());
            else
                setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
        }
        if (std::freopen("/dev/null", "r", stdin) && std::freopen(out_.c_str(), "w", stdout) &&
            std::freopen(error_.c_str(), "w", stderr))
            execv(arguments[0], arguments.data());
        _exit(127);
    }
    ~Program() {
        if (process_ <= 0) return;
        kill(process_, SIGKILL);
        waitpid(process_, nullptr, 0);
    }
    Program(const Program&) = delete;

    void interrupt() { kill(process_, SIGINT); }

    /// Its exit status; that of the shell, 128 and the signal's number, when a signal ended it. Killed when
    /// it takes longer than `patience`.
    int wait(std::chrono::seconds patience = std::chrono::seconds(60)) {
        const auto give_up = std::chrono::steady_clock::now() + patience;
        int status = 0;
        while (waitpid(process_, &status, WNOHANG) == 0) {
            if (std::chrono::steady_clock::now() > give_up) {
                ADD_FAILURE() << "does not end";
                kill(process_, SIGKILL);
                waitpid(process_, &status, 0);
                break;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        process_ = 0;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

    std::string out() const { return read_text(out_); }
    std::string error() const { return read_text(error_); }

  private:
    std::filesystem::path out_, error_;
    pid_t process_ = 0;
};

}  // namespace vknorm::testing
