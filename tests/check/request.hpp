// The words that describe a call, and the calls they describe: with generated tensors, or with those of a
// file.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "check/operation.hpp"

namespace CLI {
class App;
}

namespace vknorm::check {

struct Request {
    std::string text;  ///< the words, for people
    const Operation* operation = nullptr;
    const Mode* mode = nullptr;
    Settings settings{};
    // Of generated tensors.
    TensorShape shape{};  ///< of the first one
    uint64_t seed = 1;
    double mean = 0, std = 1;         ///< of x
    std::set<std::string> without{};  ///< optional tensors to leave out
    std::set<std::string> with{};     ///< those that are otherwise left out
};

/// `text` as a number from `low` to `high`. Throws CLI::ValidationError naming `option`.
uint64_t read_whole_number(const std::string& option, const std::string& text, uint64_t low, uint64_t high);

inline constexpr std::array generator_options{"--shape", "--seed", "--mean", "--std", "--without", "--with"};

/// Adds the options that describe a call. They are stored while `app` parses; finish() completes the request
/// and throws CLI::ValidationError for what does not fit together.
void add_request_options(CLI::App& app, Request& request);
void finish(Request& request);

/// `line` holds the words, spaces between them. Throws CLI::ParseError with a message of one line.
Request parse_request(const std::string& line);

/// With every tensor that the mode needs or takes, but for those the request is without, and those that it is
/// with. Throws
/// std::invalid_argument without a shape, or with one that the operation cannot have.
Call generate(const Request& request);

/// With those of `tensors` that the mode needs, takes or adds. Throws FormatError naming `file` and the
/// tensor for one that is missing, unknown to the operation, or of another dtype or shape than its call
/// needs, and std::invalid_argument for an x whose shape the operation cannot have.
Call call_with(const Request& request, const HostTensors& tensors, const std::string& file);

}  // namespace vknorm::check
