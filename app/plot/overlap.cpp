#include "app/plot/overlap.hpp"

#include <cmath>
#include <limits>

namespace lab::plot {

namespace {

constexpr float pitch = 2;     // of the columns of pixels in which lines are compared
constexpr float covering = 1;  // so many pixels apart two lines are one

// Where the line is in each column; NaN where it is not.
std::vector<float> heights(const DrawnLine& line, float left, size_t columns) {
    std::vector<float> result(columns, std::numeric_limits<float>::quiet_NaN());
    for (const std::vector<ImVec2>& stretch : line.stretches)
        for (size_t i = 0; i + 1 < stretch.size(); ++i) {
            const ImVec2 a = stretch[i], b = stretch[i + 1];
            if (!(b.x > a.x)) continue;
            const float first = std::ceil((a.x - left) / pitch), last = std::floor((b.x - left) / pitch);
            for (float column = std::max(first, 0.0f); column <= last && column < static_cast<float>(columns);
                 ++column)
                result[static_cast<size_t>(column)] =
                    a.y + (b.y - a.y) * (left + column * pitch - a.x) / (b.x - a.x);
        }
    return result;
}

}  // namespace

void show_covered_lines(ImDrawList& list, std::span<const DrawnLine> lines, float left, float right,
                        float dash) {
    if (lines.size() < 2 || !(right > left)) return;
    const auto columns = static_cast<size_t>((right - left) / pitch) + 1;
    std::vector<std::vector<float>> at;
    for (const DrawnLine& line : lines) at.push_back(heights(line, left, columns));
    const auto together = [&](size_t a, size_t b, size_t column) {
        return std::abs(at[a][column] - at[b][column]) < covering;
    };
    // Whether it is this line's turn where others lie on it.
    const auto shows = [&](size_t line, size_t column) {
        size_t count = 0, before = 0;
        bool covered = false;
        for (size_t other = 0; other < lines.size(); ++other) {
            if (!together(line, other, column)) continue;
            ++count;
            before += other < line;
            covered = covered || other > line;
        }
        const auto turn = static_cast<size_t>(static_cast<float>(column) * pitch / dash);
        return covered && turn % count == before;
    };
    for (size_t line = 0; line + 1 < lines.size(); ++line) {
        std::vector<ImVec2> piece;
        for (size_t column = 0; column <= columns; ++column) {
            if (column < columns && shows(line, column)) {
                piece.push_back({left + static_cast<float>(column) * pitch, at[line][column]});
                continue;
            }
            stroke(list, piece, lines[line].color, lines[line].width);
            piece.clear();
        }
    }
}

}  // namespace lab::plot
