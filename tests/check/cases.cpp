#include "check/cases.hpp"

#include <CLI/CLI.hpp>
#include <sstream>
#include <stdexcept>

#include "check/committed_cases.hpp"
#include "data/file.hpp"

namespace vknorm::check {

namespace {

std::vector<Case> parse_cases(const std::string& text, const std::string& name) {
    std::istringstream stream(text);
    std::vector<Case> cases;
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
        const std::string words = line.substr(0, line.find('#'));
        const size_t begin = words.find_first_not_of(" \t\r");
        if (begin == std::string::npos) continue;
        const std::string where = name + ":" + std::to_string(number) + ": ";
        try {
            cases.push_back({where, parse_request(words.substr(begin, words.find_last_not_of(" \t\r") + 1))});
        } catch (const CLI::ParseError& error) {
            throw std::invalid_argument(where + error.what());
        }
    }
    if (cases.empty()) throw std::invalid_argument(name + ": holds no case");
    return cases;
}

}  // namespace

std::vector<Case> read_cases(const std::string& file) {
    const detail::Bytes bytes = detail::read_file(file);
    return parse_cases({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file);
}

std::vector<Case> committed_cases() {
    return parse_cases(committed_cases_text, "tests/cases.txt");
}

}  // namespace vknorm::check
