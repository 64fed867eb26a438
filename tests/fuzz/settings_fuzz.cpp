// A command line of the Lab, an argument a line, is refused in one line or gives settings that fit together.
#include <string>
#include <variant>
#include <vector>

#include "app/options.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using vknorm::testing::require;
    std::vector<std::string> lines(1);
    for (const char character : vknorm::testing::text_of(data, size)) {
        if (character == '\0') return 0;  // no command line has it
        if (character == '\n')
            lines.emplace_back();
        else
            lines.back() += character;
    }
    std::vector<const char*> arguments;
    for (const std::string& line : lines) arguments.push_back(line.c_str());
    const auto parsed = lab::parse_options(arguments);
    if (const auto* options = std::get_if<lab::Options>(&parsed)) {
        require(!lab::find_misfit(options->settings), "settings that do not fit together");
        require(options->steps > 0 && options->width > 0 && options->height > 0,
                "a number that is not there");
        return 0;
    }
    const auto& answer = std::get<lab::Answer>(parsed);
    require(!answer.text.empty(), "an answer without a word");
    require(answer.status == lab::exit_status::ok || answer.text.find('\n') == std::string::npos,
            "a refusal of more than one line");
    return 0;
}
