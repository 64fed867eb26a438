#include "app/experiment/share.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>

namespace lab {

namespace {

const std::string prefix = "vknorm:", end_mark = "end";

bool is_plain(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || (c != 0 && std::strchr("-_.,:/@+", c) != nullptr);
}

std::string encoded(const std::string& value) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string text;
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        text += is_plain(c) ? std::string(1, c) : std::string{'%', digits[byte / 16], digits[byte % 16]};
    }
    return text;
}

std::string decoded(const std::string& text) {
    std::string value;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            value += text[i];
            continue;
        }
        const auto digit = [&](size_t at) {
            return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at]));
        };
        if (!digit(i + 1) || !digit(i + 2)) throw Unfit(text, "two hexadecimal digits after %");
        value += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
    }
    return value;
}

/// A setting of a twin, or of the run.
struct Place {
    const Field* field;
    size_t twin;
};

/// Calls `visit` with every setting of so many twins, in the order of the table.
template <class Visit>
void for_every_setting(const size_t& twins, Visit visit) {
    for (const Field& field : fields)
        for (size_t twin = 0; twin < (is_of_twin(field) ? twins : 1); ++twin) visit(Place{&field, twin});
}

/// What stands between the marks, or beyond them only because a sentence goes on.
std::string line_in(const std::string& text) {
    const size_t begin = text.find(prefix);
    if (begin == std::string::npos) {
        constexpr size_t enough = 40;
        const std::string first = text.substr(0, text.find('\n'));
        throw Unfit(first.size() > enough ? first.substr(0, enough) + ".." : first,
                    "a line that begins with " + prefix);
    }
    size_t end = begin + prefix.size();
    while (end < text.size() && (is_plain(text[end]) || std::strchr("=&%", text[end]))) ++end;
    while (std::strchr(".,:", text[end - 1]) && end > begin + prefix.size()) --end;
    return text.substr(begin + prefix.size(), end - begin - prefix.size());
}

/// The texts of the settings by their words.
std::map<std::string, std::string> words_of(const std::string& line) {
    std::map<std::string, std::string> words;
    for (size_t begin = 0; begin <= line.size();) {
        const size_t end = std::min(line.find('&', begin), line.size());
        const std::string part = line.substr(begin, end - begin);
        const bool last = end == line.size();
        if (last && part == end_mark) return words;
        if (last) throw Unfit(part, "&" + end_mark + " behind it: the string was cut short");
        const size_t equals = part.find('=');
        if (equals == std::string::npos) throw Unfit(part, "WORD=VALUE");
        const std::string word = part.substr(0, equals);
        try {
            if (!words.emplace(word, decoded(part.substr(equals + 1))).second)
                throw Unfit(part, "every word once");
        } catch (const Unfit& unfit) {
            throw Unfit(word, unfit);
        }
        begin = end + 1;
    }
    return words;
}

}  // namespace

std::string share_string(const Settings& settings) {
    Settings usual;
    std::string text = prefix;
    size_t twins = usual.twins.size();
    for_every_setting(twins, [&](const Place& at) {
        const std::string its = text_of(*at.field, settings, at.twin);
        if (its != text_of(*at.field, usual, at.twin))
            text += word_of(*at.field, at.twin) + "=" + encoded(its) + "&";
        if (at.field != &field_named("twins")) return;
        // What follows is compared with what twins are when they are added.
        twins = settings.twins.size();
        set_twin_count(usual, twins);
    });
    return text + end_mark;
}

bool has_share_string(const std::string& text) {
    return text.find(prefix) != std::string::npos;
}

Settings read_share_string(const std::string& text) {
    std::map<std::string, std::string> words = words_of(line_in(text));
    Settings settings;
    size_t twins = settings.twins.size();
    for_every_setting(twins, [&](const Place& at) {
        const auto found = words.find(word_of(*at.field, at.twin));
        if (found != words.end()) {
            try {
                read(*at.field, settings, at.twin, found->second);
            } catch (const Unfit& unfit) {
                throw Unfit(found->first, unfit);
            }
            words.erase(found);
        }
        twins = settings.twins.size();
    });
    for_every_setting(limits::max_twins, [&](const Place& at) {
        if (words.count(word_of(*at.field, at.twin)) > 0)
            throw Unfit(word_of(*at.field, at.twin), "twins=" + std::to_string(at.twin + 1) + " or more");
    });
    if (!words.empty()) throw Unfit(words.begin()->first, "the word of a setting, such as norm-a");
    if (const auto misfit = find_misfit(settings))
        throw Unfit(word_of(*misfit->field, misfit->twin), std::invalid_argument(misfit->why));
    return settings;
}

}  // namespace lab
