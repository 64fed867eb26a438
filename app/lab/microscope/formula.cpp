// The formula of the norm with the numbers of the followed value, term by term; what the step is about is
// lit.
#include <algorithm>
#include <cmath>

#include "app/experiment/words.hpp"
#include "app/lab/microscope/slide.hpp"
#include "app/lab/microscope/symbols.hpp"
#include "app/ui/scale.hpp"

namespace lab {

namespace {

using vknorm::Norm;

/// A symbol over its number and a word; or an operator, which has none of these.
struct Token {
    std::string symbol;
    std::string number{}, caption{};
    std::vector<size_t> lit{};  ///< steps
    bool root = false;          ///< under the root sign

    bool is_cell() const { return !number.empty(); }
};
using Formula = std::vector<Token>;

Token sign(const char* symbol, bool root = false) {
    return {.symbol = symbol, .root = root};
}

// Step 0 and so on: see lens_steps.
std::vector<Formula> forward_formulas(const Slide& slide) {
    const Specimen& s = slide.specimen;
    const Examination& exact = slide.exact;
    const size_t i = slide.chosen;
    const uint32_t set = slide.set();
    const bool rms = s.kind == Norm::rms, running = by_running(s, exact.mode);
    const bool renorm = s.kind == Norm::batch_renorm && !running;
    const std::string whose = running ? "running " : slide.across_units() ? "example's " : "batch ";
    const Token z{"z", figure(double{s.device.x[i]}), slide.value_name(i), {0, 1}};
    const Token normalized{"^x", figure(exact.normalized[i]), "normalized", {2}};
    Token scaled = normalized;
    scaled.lit = {3};

    Formula first = {normalized, sign("=")};
    if (rms)
        first.insert(first.end(), {z, sign("\u00F7")});
    else
        first.insert(first.end(), {sign("("),
                                   z,
                                   sign("\u2212"),
                                   {"\u03BC", figure(exact.mean[set]), whose + "mean", {1}},
                                   sign(")"),
                                   sign("\u00F7")});
    Token variance{rms ? "q" : "\u03C3\u00B2",
                   figure(exact.variance[set]),
                   rms       ? "mean of z\u00B2"
                   : running ? "running variance"
                             : "biased variance",
                   {2},
                   true};
    first.insert(
        first.end(),
        {variance, sign("+", true), {"\u03B5", plot::short_number(double{s.epsilon}), "epsilon", {2}, true}});

    Formula second = {{"y", figure(exact.y[i]), "output", {3}},
                      sign("="),
                      {"\u03B3", figure(gamma_of(s, i)), "learned scale", {3}},
                      sign("\u00D7")};
    if (renorm)
        second.insert(second.end(), {sign("("),
                                     {"r", figure(exact.r[set]), "correction", {3}},
                                     sign("\u00D7"),
                                     scaled,
                                     sign("+"),
                                     {"d", figure(exact.d[set]), "correction", {3}},
                                     sign(")")});
    else
        second.push_back(scaled);
    if (!rms)
        second.insert(second.end(), {sign("+"), {"\u03B2", figure(beta_of(s, i)), "learned shift", {3}}});

    const Token y{"y", figure(exact.y[i]), "output", {4}};
    Formula third = {{"a", figure(exact.activated[i]), "to the next layer", {4}}, sign("=")};
    switch (activation_behind(s)) {
        case vknorm::Activation::relu:
            third.insert(third.end(), {sign("max( 0,"), y, sign(")")});
            break;
        case vknorm::Activation::tanh:
            third.insert(third.end(), {sign("tanh("), y, sign(")")});
            break;
        case vknorm::Activation::sigmoid:
            third.insert(third.end(), {sign("1 \u00F7 ( 1 + exp \u2212"), y, sign(")")});
            break;
        case vknorm::Activation::identity:
            third.push_back(y);
            break;
    }
    return {first, second, third};
}

std::vector<Formula> backward_formulas(const Slide& slide) {
    const Specimen& s = slide.specimen;
    const Examination& exact = slide.exact;
    const size_t i = slide.chosen, parameter = parameter_of(s, i);
    const bool rms = s.kind == Norm::rms, constant = by_running(s, exact.mode);
    const Token dy{"dy", figure(double{s.device.dy[i]}), slide.value_name(i), {5, 8}};
    std::vector<Formula> formulas;
    if (!rms)
        formulas.push_back(
            {{"d\u03B2", figure(exact.dbeta[parameter]), "of the shift", {6}}, sign("= \u03A3"), sign("dy")});
    const bool renorm = s.kind == Norm::batch_renorm && !constant;
    formulas.push_back({{"d\u03B3", figure(exact.dgamma[parameter]), "of the scale", {7}},
                        sign("= \u03A3"),
                        sign(renorm ? "dy\u00B7(r\u00B7^x+d)" : "dy\u00B7^x")});
    Formula third = {{"d^x", figure(exact.dnormalized[i]), "of ^x", {8}}, sign("=")};
    if (renorm)
        third.insert(third.end(), {{"r", figure(exact.r[slide.set()]), "correction", {8}}, sign("\u00D7")});
    third.insert(third.end(), {{"\u03B3", figure(gamma_of(s, i)), "learned scale", {8}}, sign("\u00D7"), dy});
    formulas.push_back(third);
    Formula last = {{"dx", figure(exact.dx[i]), "to the layer below", {9}},
                    sign("="),
                    {"1", figure(exact.own[i]), "its own push", {9}}};
    if (!constant && !rms)
        last.insert(last.end(), {sign("+"), {"2", figure(exact.from_mean[i]), "without mean", {9}}});
    if (!constant)
        last.insert(last.end(), {sign("+"), {"3", figure(exact.from_variance[i]), "nor along ^x", {9}}});
    formulas.push_back(last);
    return formulas;
}

constexpr float root_width = 17;  // of the root sign, before what stands under it

struct Sizes {
    float cell_padding, sign_gap, group_gap;
    bool captions;
};

float width_of(const Look& look, const Token& token, const Sizes& sizes) {
    const float symbol = symbols_size(look.fonts.symbol, token.symbol).x;
    if (!token.is_cell()) return symbol + 2 * sizes.sign_gap;
    float width = std::max(symbol, plot::text_size(look.fonts.mono, token.number.c_str()).x);
    if (sizes.captions) width = std::max(width, symbols_size(look.fonts.small, token.caption).x);
    return width + 2 * sizes.cell_padding;
}

bool is_root_begin(const Formula& formula, size_t i) {
    return formula[i].root && (i == 0 || !formula[i - 1].root);
}

float width_of(const Look& look, const std::vector<Formula>& formulas, const Sizes& sizes) {
    float width = sizes.group_gap * static_cast<float>(formulas.size() - 1);
    for (const Formula& formula : formulas)
        for (size_t i = 0; i < formula.size(); ++i)
            width +=
                width_of(look, formula[i], sizes) + (is_root_begin(formula, i) ? look.px(root_width) : 0);
    return width;
}

void draw_root(const Look& look, ImDrawList& list, float left, float right, float top, float bottom) {
    const float hook = look.px(11);
    const ImVec2 root[5] = {{left, bottom - look.px(7)},
                            {left + look.px(3), bottom - look.px(9)},
                            {left + look.px(6), bottom},
                            {left + hook, top},
                            {right, top}};
    plot::stroke(list, root, look.theme.muted, look.px(1.5f));
}

}  // namespace

void draw_formula(const Slide& slide, const plot::Rect& frame, const std::string& subtitle) {
    const Look& look = slide.look;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const plot::Rect area = draw_titled_card(
        look, frame, std::string(name(slide.specimen.kind)) + " under the microscope", subtitle);
    const size_t step = slide.stepper.step();
    const bool back = step >= lens_forward_steps && slide.exact.mode != NormMode::eval;
    const std::vector<Formula> formulas = back ? backward_formulas(slide) : forward_formulas(slide);

    Sizes sizes{look.px(7), look.px(4), look.px(40), true};
    const float room = area.width();
    if (width_of(look, formulas, sizes) > room) sizes = {look.px(5), look.px(2), look.px(22), true};
    if (width_of(look, formulas, sizes) > room) sizes = {look.px(3), look.px(1), look.px(12), true};
    if (width_of(look, formulas, sizes) > room) sizes = {look.px(5), look.px(2), look.px(18), false};
    if (width_of(look, formulas, sizes) > room) sizes = {look.px(3), look.px(1), look.px(10), false};
    float x = area.min.x + std::max(0.0f, (room - width_of(look, formulas, sizes)) / 2);

    const float symbol_height = look.fonts.symbol->FontSize, number_height = look.fonts.mono->FontSize,
                caption_height = sizes.captions ? look.fonts.small->FontSize : 0;
    const float gap = look.px(3), height = symbol_height + number_height + caption_height + 2 * gap;
    const float top = std::round((area.min.y + area.max.y - height) / 2) - look.px(1);
    const auto centered = [&](ImFont* font, float left, float width, float y, Color color,
                              const std::string& words) {
        draw_symbols(look, list, font, {left + (width - symbols_size(font, words).x) / 2, y}, color, words);
    };
    for (const Formula& formula : formulas) {
        for (size_t i = 0; i < formula.size(); ++i) {
            const Token& token = formula[i];
            if (is_root_begin(formula, i)) {
                float end = x + look.px(root_width);
                for (size_t k = i; k < formula.size() && formula[k].root; ++k)
                    end += width_of(look, formula[k], sizes);
                draw_root(look, list, x + look.px(4), end, top - look.px(3), top + symbol_height);
                x += look.px(root_width);
            }
            const float width = width_of(look, token, sizes);
            if (!token.is_cell()) {
                centered(look.fonts.symbol, x, width, top, look.theme.muted, token.symbol);
                x += width;
                continue;
            }
            const bool lit = std::find(token.lit.begin(), token.lit.end(), step) != token.lit.end();
            if (lit) {
                const ImVec2 min{x + look.px(1), top - look.px(6)},
                    max{x + width - look.px(1), top + height + look.px(5)};
                list.AddRectFilled(min, max, mixed(look.theme.panel, look.theme.grip, 0.14f), look.px(6));
                list.AddRect(min, max, look.theme.grip, look.px(6), 0, look.px(1.5f));
            }
            centered(look.fonts.symbol, x, width, top, look.theme.text, token.symbol);
            centered(look.fonts.mono, x, width, top + symbol_height + gap,
                     lit ? look.theme.twin_words[0] : look.theme.text, token.number);
            if (sizes.captions)
                centered(look.fonts.small, x, width, top + symbol_height + number_height + 2 * gap,
                         look.theme.muted, token.caption);
            x += width;
        }
        x += sizes.group_gap;
    }
}

}  // namespace lab
