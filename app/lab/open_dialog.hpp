// The dialog that opens people's own data: a line to type a path into, and what lies there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/lab/dialog.hpp"

namespace lab {

class OpenDialog {
  public:
    static constexpr const char* id = "open data";

    /// What the user chose.
    struct Opened {
        std::filesystem::path path;
        std::string choice;  ///< typed behind a #
    };

    /// To be called when it opens: it shows the folder it showed last, or else `first`, or else the one that
    /// the program was started in.
    void begin(const std::filesystem::path& first);
    /// In the middle of a screen of `size`, if it is open.
    std::optional<Opened> draw(const Look& look, ImVec2 size);

  private:
    struct Row {
        std::string name;
        std::filesystem::path path;
        bool folder;         // to be looked into, or else opened
        bool known = false;  // what follows; folders are looked into when they come into sight
        std::string kind{};  // as which it can be opened
        std::string note{};  // how, or why not
        bool greyed = false;
    };

    void list(const std::filesystem::path& folder);
    void find_out(Row& row);
    /// Those that fit what was typed.
    std::vector<Row*> fitting(const std::string& typed);
    std::optional<Opened> choose(const Row& row, const std::string& choice);

    SearchLine line_;
    std::string typed_;             // before this frame
    std::filesystem::path folder_;  // that a path is typed from
    std::filesystem::path listed_;
    std::string unreadable_;  // why there is nothing to list
    std::vector<Row> rows_;
    DialogRows shown_;
};

}  // namespace lab
