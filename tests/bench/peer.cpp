#include "bench/peer.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace vknorm::bench {

namespace {

using nlohmann::json;

/// OpenMP threads that wait must not take time from ours, and memory that was freed must be kept, or page
/// faults would be timed.
void set_environment() {
    const std::string threads = std::to_string(std::max(1u, std::thread::hardware_concurrency()));
    setenv("OMP_NUM_THREADS", threads.c_str(), 1);
    setenv("OMP_WAIT_POLICY", "passive", 1);
    setenv("MALLOC_MMAP_MAX_", "0", 1);
    setenv("MALLOC_TRIM_THRESHOLD_", "1000000000000", 1);
}

Direction direction_of(const std::string& name) {
    for (const Direction direction : {Direction::inference, Direction::forward})
        if (name == name_of(direction)) return direction;
    return Direction::backward;
}

}  // namespace

Peer::Peer(const std::vector<std::string>& command) : title_(command.front()) {
    int down[2], up[2];
    // No other peer may hold these ends open, or this one would not see that its input has ended.
    if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    process_ = fork();
    if (process_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (process_ == 0) {
        dup2(down[0], STDIN_FILENO);
        dup2(up[1], STDOUT_FILENO);
        set_environment();
        std::vector<char*> words;
        words.reserve(command.size() + 1);
        for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
        words.push_back(nullptr);
        execvp(words[0], words.data());
        _exit(127);
    }
    close(down[0]);
    close(up[1]);
    to_ = fdopen(down[1], "w");
    from_ = fdopen(up[0], "r");
    try {
        const json hello = answer();
        if (hello.contains("absent"))
            absence_ = hello["absent"];
        else
            title_ = hello.at("title");
    } catch (const std::exception& error) {
        absence_ = error.what();
    }
}

Peer::~Peer() {
    std::fclose(to_);
    std::fclose(from_);
    kill(process_, SIGTERM);  // whether it understands that its input has ended or not
    waitpid(process_, nullptr, 0);
}

json Peer::answer() {
    char* line = nullptr;
    size_t size = 0;
    const ssize_t length = getline(&line, &size, from_);
    const std::string text(line ? line : "", length > 0 ? static_cast<size_t>(length) : 0);
    std::free(line);
    if (text.empty()) throw std::runtime_error(title_ + " did not answer");
    json result = json::parse(text);
    if (result.contains("error")) throw std::runtime_error(title_ + ": " + std::string(result["error"]));
    return result;
}

json Peer::ask(const json& question) {
    std::fprintf(to_, "%s\n", question.dump().c_str());
    std::fflush(to_);
    return answer();
}

std::vector<std::pair<std::string, Direction>> Peer::prepare(const Case& what, uint64_t rotation_bytes) {
    json directions = json::array();
    for (const Direction direction : what.directions()) directions.push_back(name_of(direction));
    const bool first = what.layout == Layout::channels_first;
    const json reply = ask({{"prepare",
                             {{"operation", what.operation},
                              {"shape", what.shape},
                              {"layout", first ? "channels_first" : "channels_last"},
                              {"groups", what.groups},
                              {"type", what.type()},
                              {"directions", directions},
                              {"rotation_bytes", rotation_bytes}}}});
    std::vector<std::pair<std::string, Direction>> result;
    for (const json& each : reply.at("contestants"))
        result.emplace_back(each.at(0), direction_of(each.at(1).get<std::string>()));
    return result;
}

Sample Peer::run(const std::string& contestant, Direction direction) {
    const json reply = ask({{"run", {contestant, name_of(direction)}}});
    return {reply.at("ms"), reply.at("cpu_ms")};
}

}  // namespace vknorm::bench
