// What a program says of an argument that it does not know, and which option was most likely meant: the one
// with the smallest edit distance. All programs of the project can use it, as it needs CLI11 only.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace lab {

/// The fewest characters to insert, delete or replace that make `b` of `a`.
inline size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 0; i < a.size(); ++i) {
        size_t diagonal = std::exchange(row[0], i + 1);
        for (size_t j = 0; j < b.size(); ++j) {
            const size_t replaced = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

/// One line about the first argument that `app` did not know.
inline std::string unknown_argument(const CLI::App& app) {
    const std::string argument = app.remaining().front();
    if (!argument.starts_with("-")) return "unexpected argument '" + argument + "'";
    const std::string flag = argument.substr(0, argument.find('='));
    std::string nearest;
    size_t best = flag.size();
    for (const CLI::Option* option : app.get_options()) {
        const std::string name = "--" + option->get_lnames().front();
        if (const size_t distance = edit_distance(flag, name); distance < best)
            best = distance, nearest = name;
    }
    const bool near = best * 2 + 2 <= flag.size();  // more than half of the word would be a guess
    return "unknown option '" + flag + "': " + (near ? "did you mean " + nearest + "?" : "--help lists them");
}

/// Says what is wrong with the name of a file, of which a shell makes nothing where a variable is not set.
inline std::string nameless(const std::string& file) {
    return file.empty() ? "got nothing, needs a name" : "";
}

}  // namespace lab
