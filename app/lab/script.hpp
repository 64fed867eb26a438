// What a user would do, read from a file: a line is one act.
//
//     click "Run"                     # where these words stand; "Spiral" #2 is the second place
//     click "Noise" +60 +22           # so many pixels right of and below the words' upper left corner
//     click 640 300                   # also right-click, double-click, hover
//     drag "Noise" +40 +22 to "Noise" +120 +22
//     wheel 2                         # notches, away from the user, where the pointer is
//     key Ctrl+Shift+Z                # Space, Enter, Escape, Tab, Left, Home, F11, S, ?
//     type "0.025"
//     drop "iris.csv"                 # files or a folder, seen from where the script is
//     wait 200 steps                  # of the run; or 10 frames
//     expect "Training"               # is, or comes to be, on the screen; expect no "Training"
//     expect batch 128                # a setting, as the command line takes it: norm-a layer
//     expect step 200                 # so many have been made
//     shot FILE.png
#pragma once

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace lab {

struct ScriptWord {
    std::string text;
    bool quoted = false;
};

struct ScriptLine {
    size_t number;  ///< in the file, from 1
    std::vector<ScriptWord> words;
};

struct Script {
    std::string name;  ///< of the file
    std::vector<ScriptLine> lines;
};

/// "FILE:7: what is wrong there".
class ScriptError : public std::runtime_error {
  public:
    ScriptError(const std::string& name, size_t line, const std::string& why)
        : std::runtime_error(name + ":" + std::to_string(line) + ": " + why) {}
};

/// The lines that are no comments. Throws ScriptError for a quotation mark without its other half.
Script parse_script(const std::string& name, const std::string& text);
/// Throws std::runtime_error, too, for a file that cannot be read.
Script read_script(const std::filesystem::path& file);

}  // namespace lab
