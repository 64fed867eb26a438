#include "app/lab/script.hpp"

#include <cctype>
#include <fstream>
#include <sstream>

namespace lab {

namespace {

ScriptLine parse_line(const std::string& name, size_t number, const std::string& line) {
    ScriptLine parsed{number, {}};
    for (size_t at = 0; at < line.size();) {
        if (std::isspace(static_cast<unsigned char>(line[at]))) {
            ++at;
        } else if (line[at] == '"') {
            const size_t end = line.find('"', at + 1);
            if (end == std::string::npos) throw ScriptError(name, number, "got one \", needs another one");
            parsed.words.push_back({line.substr(at + 1, end - at - 1), true});
            at = end + 1;
        } else {
            size_t end = at;
            while (end < line.size() && !std::isspace(static_cast<unsigned char>(line[end]))) ++end;
            const std::string word = line.substr(at, end - at);
            // "#2" chooses among words; any other # begins a comment.
            if (word[0] == '#' && (word.size() == 1 || !std::isdigit(static_cast<unsigned char>(word[1]))))
                break;
            parsed.words.push_back({word, false});
            at = end;
        }
    }
    return parsed;
}

}  // namespace

Script parse_script(const std::string& name, const std::string& text) {
    Script script{name, {}};
    std::istringstream lines(text);
    size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ScriptLine parsed = parse_line(name, ++number, line);
        if (!parsed.words.empty()) script.lines.push_back(std::move(parsed));
    }
    return script;
}

Script read_script(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream) throw std::runtime_error(file.string() + ": cannot be read");
    return parse_script(file.string(), text.str());
}

}  // namespace lab
