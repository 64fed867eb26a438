// Our reader takes a text for JSON where nlohmann's does, and reads the same strings.
#include <nlohmann/json.hpp>

#include <vknorm/file.hpp>

#include "data/json.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using vknorm::testing::require;
    const std::string_view text = vknorm::testing::text_of(data, size);
    // Ours refuses more: a byte order mark, a key that stands there twice, and values that are nested deep.
    constexpr int deep = 20;
    bool taken = false, begins_with_string = false, nested = false, twice = false;
    std::string string;
    try {
        vknorm::detail::JsonReader reader(text, "fuzz", deep);
        begins_with_string = reader.next() == '"';
        if (begins_with_string)
            string = reader.string();
        else
            reader.value();
        reader.end();
        taken = true;
    } catch (const vknorm::FormatError& error) {
        const std::string_view reason = error.what();
        nested = reason.find("nested") != std::string_view::npos;
        twice = reason.find("stands there twice") != std::string_view::npos;
    }
    if (text.find('\0') != std::string_view::npos) {  // where nlohmann's takes the text for ended
        require(!taken, "taken with a NUL");
        return 0;
    }
    if (nested || twice || text.starts_with("\xef\xbb\xbf")) return 0;
    nlohmann::json other;
    bool other_taken = true;
    try {
        other = nlohmann::json::parse(text);
    } catch (const nlohmann::json::parse_error&) {
        other_taken = false;
    } catch (const nlohmann::json::out_of_range&) {
        return 0;  // a number that no double holds: ours leaves numbers to its callers
    }
    require(taken == other_taken, taken ? "taken by ours only" : "refused by ours only");
    if (!taken || !begins_with_string) return 0;
    require(string == other.get<std::string>(), "another string");
    require(nlohmann::json::parse(vknorm::detail::json_string(string)) == other, "written as another string");
    return 0;
}
