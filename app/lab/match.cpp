#include "app/lab/match.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "app/experiment/words.hpp"

namespace lab {

namespace {

// What a way of fitting costs, beyond how far from the beginning it is.
constexpr float within_a_word = 1, in_pieces = 2, per_letter = 0.001f;

bool begins_a_word(std::string_view name, size_t at) {
    return at == 0 || !std::isalnum(static_cast<unsigned char>(name[at - 1]));
}

// Where the letters of `word` begin and end in `name`, from `from` on; none: not all are there.
std::optional<std::pair<size_t, size_t>> in_order(std::string_view word, std::string_view name, size_t from) {
    const size_t begin = name.find(word[0], from);
    size_t at = begin;
    for (size_t i = 1; i < word.size() && at != std::string_view::npos; ++i) at = name.find(word[i], at + 1);
    if (at == std::string_view::npos) return {};
    return std::pair(begin, at);
}

std::optional<float> match_word(std::string_view word, std::string_view name) {
    std::optional<float> best;
    for (size_t at = name.find(word); at != std::string_view::npos; at = name.find(word, at + 1)) {
        const float cost =
            (begins_a_word(name, at) ? 0 : within_a_word) + per_letter * static_cast<float>(at);
        best = std::min(best.value_or(cost), cost);
    }
    if (best) return best;
    // Letters scattered over half a sentence fit anything.
    const size_t widest = 3 * word.size() + 4;
    for (size_t from = 0; from < name.size(); ++from) {
        const auto found = in_order(word, name, from);
        if (!found) break;
        from = found->first;
        const size_t width = found->second - found->first;
        if (width > widest || !begins_a_word(name, found->first)) continue;
        const float cost = in_pieces + per_letter * static_cast<float>(width);
        best = std::min(best.value_or(cost), cost);
    }
    return best;
}

}  // namespace

std::optional<float> match(std::string_view typed, std::string_view name) {
    const std::string words = lower_case(std::string(typed)), all = lower_case(std::string(name));
    float cost = 0;
    for (size_t begin = 0; begin < words.size();) {
        const size_t end = std::min(words.find(' ', begin), words.size());
        if (end > begin) {
            const auto fits = match_word(std::string_view(words).substr(begin, end - begin), all);
            if (!fits) return {};
            cost += *fits;
        }
        begin = end + 1;
    }
    return cost;
}

}  // namespace lab
