#include "app/ui/svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <imgui_internal.h>
#include <map>
#include <optional>
#include <utility>

// The triangles of a draw list, read back as what they were made from: letters by their texture coordinates,
// lines by the soft-edged profile across them, and the rest as polygons of one colour.

namespace lab {

namespace {

using plot::Rect;
using Uv = std::pair<float, float>;

Uv uv_of(ImVec2 at) {
    return {at.x, at.y};
}

ImVec2 middle(ImVec2 a, ImVec2 b) {
    return {(a.x + b.x) / 2, (a.y + b.y) / 2};
}

bool near(ImVec2 a, ImVec2 b) {
    return std::abs(a.x - b.x) < 0.02f && std::abs(a.y - b.y) < 0.02f;
}

unsigned alpha(Color color) {
    return color >> IM_COL32_A_SHIFT;
}

/// With two digits at most.
std::string number(float value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", static_cast<double>(value));
    std::string digits = text;
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return digits == "-0" ? "0" : digits;
}

/// name="#rrggbb", and how opaque.
std::string paint(const char* name, Color color) {
    char text[64];
    std::snprintf(text, sizeof text, " %s=\"#%02x%02x%02x\"", name, color >> IM_COL32_R_SHIFT & 255,
                  color >> IM_COL32_G_SHIFT & 255, color >> IM_COL32_B_SHIFT & 255);
    if (alpha(color) == 255) return text;
    return std::string(text) + " " + name + "-opacity=\"" + number(static_cast<float>(alpha(color)) / 255) +
           "\"";
}

std::string attribute(const char* name, float value) {
    return std::string(" ") + name + "=\"" + number(value) + "\"";
}

void add_escaped(std::string& text, unsigned character) {
    if (character == '&')
        text += "&amp;";
    else if (character == '<')
        text += "&lt;";
    else if (character == '>')
        text += "&gt;";
    else {
        char utf8[5];
        text += ImTextCharToUtf8(utf8, character);
    }
}

struct Letter {
    const ImFont* font;
    const ImFontGlyph* glyph;
};

/// Words that are being put together from letters.
struct Words {
    const ImFont* font;
    Color color;
    float left, baseline, pen;  // pen: where the next letter would be
    std::string text;
};

class Writer {
  public:
    Writer(const Rect& area, const Fonts& fonts) : area_(area), fonts_(fonts) {
        const ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
        for (const ImFont* font : atlas.Fonts)
            for (const ImFontGlyph& glyph : font->Glyphs)
                if (glyph.Visible) letters_[{glyph.U0, glyph.V0}] = {font, &glyph};
        for (const ImVec4& line : atlas.TexUvLines) profiles_[{line.x, line.y}] = {line.z, line.w};
    }

    void add_plate(const Plate& plate) {
        const Rect rect = common({plate.min, plate.max});
        if (rect.width() <= 0 || rect.height() <= 0) return;
        body_ += "<rect" + attribute("x", rect.min.x - area_.min.x) +
                 attribute("y", rect.min.y - area_.min.y) + attribute("width", rect.width()) +
                 attribute("height", rect.height()) + paint("fill", plate.color) + "/>\n";
    }

    void add_list(const ImDrawList& list) {
        for (const ImDrawCmd& command : list.CmdBuffer) {
            clip_ =
                common({{command.ClipRect.x, command.ClipRect.y}, {command.ClipRect.z, command.ClipRect.w}});
            if (command.UserCallback || clip_.width() <= 0 || clip_.height() <= 0) continue;
            begin_clip();
            for (unsigned i = 0; i + 3 <= command.ElemCount;) i += take(list, command, i);
            end_path();
            end_words();
            end_clip();
        }
    }

    std::string finish(Color ground) const {
        const std::string size = attribute("width", area_.width()) + attribute("height", area_.height());
        return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + size + " viewBox=\"0 0 " +
               number(area_.width()) + " " + number(area_.height()) +
               "\" font-family=\"Inter, DejaVu Sans, sans-serif\">\n" + "<rect" + size +
               paint("fill", ground) + "/>\n" + body_ + "</svg>\n";
    }

  private:
    Rect common(const Rect& other) const {
        return {{std::max(other.min.x, area_.min.x), std::max(other.min.y, area_.min.y)},
                {std::min(other.max.x, area_.max.x), std::min(other.max.y, area_.max.y)}};
    }

    bool in_sight(std::span<const ImVec2> points) const {
        Rect box{points[0], points[0]};
        for (const ImVec2 point : points)
            box = {{std::min(box.min.x, point.x), std::min(box.min.y, point.y)},
                   {std::max(box.max.x, point.x), std::max(box.max.y, point.y)}};
        return box.max.x >= clip_.min.x && box.min.x <= clip_.max.x && box.max.y >= clip_.min.y &&
               box.min.y <= clip_.max.y;
    }

    std::string x(float value) const { return number(value - area_.min.x); }
    std::string y(float value) const { return number(value - area_.min.y); }

    // Only where it cuts something off.
    void begin_clip() {
        clip_begins_ = body_.size();
        const bool whole = clip_.width() >= area_.width() && clip_.height() >= area_.height();
        if (whole) return;
        const std::string id = "c" + std::to_string(clips_++);
        body_ += "<clipPath id=\"" + id + "\"><rect" + attribute("x", clip_.min.x - area_.min.x) +
                 attribute("y", clip_.min.y - area_.min.y) + attribute("width", clip_.width()) +
                 attribute("height", clip_.height()) + "/></clipPath>\n<g clip-path=\"url(#" + id + ")\">\n";
        clip_open_ = body_.size();
    }
    void end_clip() {
        if (clip_open_ == 0) return;
        if (body_.size() == clip_open_)
            body_.resize(clip_begins_);
        else
            body_ += "</g>\n";
        clip_open_ = 0;
    }

    void end_path() {
        if (!path_.empty()) body_ += "<path d=\"" + path_ + "\"" + path_paint_ + "/>\n";
        path_.clear();
        path_paint_.clear();
        line_end_.reset();
    }
    /// What follows joins the path before if it is painted alike.
    void begin_path(const std::string& paint) {
        end_words();
        if (paint == path_paint_) return;
        end_path();
        path_paint_ = paint;
    }

    void end_words() {
        if (!words_) return;
        const bool mono = words_->font == fonts_.mono;
        // ImGui's size is that of a line, from the highest ascender to the lowest descender.
        const float em = words_->font->FontSize / (mono ? 1.32f : 1.21f);
        body_ +=
            "<text x=\"" + x(words_->left) + "\" y=\"" + y(words_->baseline) + "\"" +
            attribute("font-size", em) + attribute("textLength", words_->pen - words_->left) +
            " lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\"" +
            (mono ? " font-family=\"JetBrains Mono, DejaVu Sans Mono, monospace\"" : "") +
            (words_->font == fonts_.strong || words_->font == fonts_.symbol ? " font-weight=\"600\"" : "") +
            paint("fill", words_->color) + ">" + words_->text + "</text>\n";
        words_.reset();
    }

    void add_letter(const Letter& letter, const ImDrawVert& corner) {
        end_path();
        const float left = corner.pos.x - letter.glyph->X0,
                    baseline = corner.pos.y - letter.glyph->Y0 + std::round(letter.font->Ascent);
        const float space = letter.font->GetCharAdvance(' ');
        int spaces = -1;  // between the letter and those before; less than 0: it is of other words
        if (words_ && words_->font == letter.font && words_->color == corner.col &&
            std::abs(words_->baseline - baseline) < 0.5f) {
            const float wide = (left - words_->pen) / space;
            if (wide > -0.1f && wide < 3.5f && std::abs(wide - std::round(wide)) < 0.1f)
                spaces = static_cast<int>(std::round(wide));
        }
        if (spaces < 0) {
            end_words();
            words_ = Words{letter.font, corner.col, left, baseline, left, ""};
            spaces = 0;
        }
        words_->text.append(static_cast<size_t>(spaces), ' ');
        add_escaped(words_->text, letter.glyph->Codepoint);
        words_->pen = left + letter.glyph->AdvanceX;
    }

    void add_disc(const ImDrawVert& low, const ImDrawVert& high) {
        const ImVec2 corners[] = {low.pos, high.pos};
        if (!in_sight(corners)) return;
        end_path();
        end_words();
        const ImVec2 center = middle(low.pos, high.pos);
        body_ += "<circle cx=\"" + x(center.x) + "\" cy=\"" + y(center.y) + "\"" +
                 attribute("r", (high.pos.x - low.pos.x) / 2) + paint("fill", low.col) + "/>\n";
    }

    /// A piece of a line, whose cross-sections are `from` and `to`.
    void add_segment(const ImVec2 (&from)[2], const ImVec2 (&to)[2], Color color) {
        const ImVec2 a = middle(from[0], from[1]), b = middle(to[0], to[1]);
        const ImVec2 ends[] = {a, b};
        const float length = std::hypot(b.x - a.x, b.y - a.y);
        if (length == 0 || alpha(color) == 0 || !in_sight(ends)) return;
        const float across =
            std::abs((from[0].x - from[1].x) * (b.y - a.y) - (from[0].y - from[1].y) * (b.x - a.x)) / length;
        const float width = std::max(across - 2, 0.5f);  // but for its soft edges, of a pixel each
        begin_path(" fill=\"none\" stroke-linejoin=\"round\"" +
                   attribute("stroke-width", std::round(width * 10) / 10) + paint("stroke", color));
        if (!line_end_ || !near(*line_end_, a)) path_ += "M" + x(a.x) + " " + y(a.y);
        path_ += "L" + x(b.x) + " " + y(b.y);
        line_end_ = b;
    }

    void add_polygon(std::span<const ImVec2> corners, Color color) {
        if (!in_sight(corners)) return;
        const bool upright = corners.size() == 4 && corners[0].y == corners[1].y &&
                             corners[1].x == corners[2].x && corners[2].y == corners[3].y &&
                             corners[3].x == corners[0].x;
        // Rectangles that lie side by side leave no seam.
        begin_path((upright ? " shape-rendering=\"crispEdges\"" : "") + paint("fill", color));
        path_ += "M" + x(corners[0].x) + " " + y(corners[0].y);
        if (upright)
            path_ += "H" + x(corners[1].x) + "V" + y(corners[2].y) + "H" + x(corners[0].x);
        else
            for (const ImVec2 corner : corners.subspan(1)) path_ += "L" + x(corner.x) + " " + y(corner.y);
        path_ += "z";
    }

    /// Takes what begins at index `i` of the command; returns of how many indices it was.
    unsigned take(const ImDrawList& list, const ImDrawCmd& command, unsigned i) {
        const auto index = [&](unsigned k) {
            return list.IdxBuffer[static_cast<int>(command.IdxOffset + i + k)];
        };
        const auto vertex = [&](unsigned k) -> const ImDrawVert& {
            return list.VtxBuffer[static_cast<int>(index(k) + command.VtxOffset)];
        };
        const auto at = [&](unsigned k) { return vertex(k).pos; };
        const bool two = i + 6 <= command.ElemCount;
        if (two) {
            if (const auto letter = letters_.find(uv_of(vertex(0).uv)); letter != letters_.end()) {
                const ImVec2 corners[] = {at(0), at(2)};
                if (in_sight(corners)) add_letter(letter->second, vertex(0));
                return 6;
            }
            if (near_uv(vertex(0).uv, fonts_.disc_low) && near_uv(vertex(2).uv, fonts_.disc_high)) {
                add_disc(vertex(0), vertex(2));
                return 6;
            }
            if (crosses(vertex(0), vertex(1)) && crosses(vertex(5), vertex(2)) && index(3) == index(0)) {
                add_segment({at(0), at(1)}, {at(5), at(2)}, vertex(0).col);  // of plot::stroke
                return 6;
            }
            if (crosses(vertex(1), vertex(2)) && crosses(vertex(0), vertex(3)) && index(5) == index(0)) {
                add_segment({at(1), at(2)}, {at(0), at(3)}, vertex(0).col);  // of ImGui's
                return 6;
            }
        }
        const auto is_clear = [&](unsigned k) { return alpha(vertex(k).col) == 0; };
        if (is_clear(0) || is_clear(1) || is_clear(2)) return 3;  // the soft edge around a shape
        // Triangles around one corner are one polygon.
        std::vector<ImVec2> corners;
        unsigned taken = 3, colors[4] = {};
        const auto add_corner = [&](unsigned k) {
            corners.push_back(at(k));
            for (unsigned channel = 0; channel < 4; ++channel)
                colors[channel] += vertex(k).col >> 8 * channel & 255;
        };
        for (unsigned k = 0; k < 3; ++k) add_corner(k);
        for (; i + taken + 3 <= command.ElemCount && index(taken) == index(0) &&
               index(taken + 1) == index(taken - 1) && !is_clear(taken + 2);
             taken += 3)
            add_corner(taken + 2);
        const auto count = static_cast<unsigned>(corners.size());
        Color mean = 0;
        for (unsigned channel = 0; channel < 4; ++channel)
            mean |= (colors[channel] + count / 2) / count << 8 * channel;
        add_polygon(corners, mean);
        return taken;
    }

    static bool near_uv(ImVec2 a, ImVec2 b) {
        return std::abs(a.x - b.x) < 1e-6f && std::abs(a.y - b.y) < 1e-6f;
    }
    bool crosses(const ImDrawVert& left, const ImDrawVert& right) const {
        const auto profile = profiles_.find(uv_of(left.uv));
        return profile != profiles_.end() && profile->second == uv_of(right.uv);
    }

    const Rect area_;
    const Fonts& fonts_;
    std::map<Uv, Letter> letters_;  // by their upper left texture coordinates
    std::map<Uv, Uv> profiles_;     // of lines, from the left edge to the right one
    std::string body_;
    Rect clip_;
    size_t clips_ = 0, clip_begins_ = 0, clip_open_ = 0;
    std::string path_, path_paint_;
    std::optional<ImVec2> line_end_;
    std::optional<Words> words_;
};

}  // namespace

std::string svg_of(const Frame& frame, const Rect& area, const Fonts& fonts) {
    Writer writer(area, fonts);
    for (const Plate& plate : frame.plates) writer.add_plate(plate);
    for (int i = 0; i < frame.draw_data->CmdListsCount; ++i) writer.add_list(*frame.draw_data->CmdLists[i]);
    return writer.finish(frame.ground);
}

}  // namespace lab
