#include "app/ui/theme.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <initializer_list>

namespace lab {

namespace {

// Okabe & Ito's colours, lightened for dark ground where needed; on white their yellow gives way to Paul
// Tol's wine as the fourth twin's.
constexpr Theme dark{
    .name = "Dark",
    .dark = true,
    .ground = rgb(0x14171C),
    .panel = rgb(0x1B1F26),
    .border = rgb(0x2B313B),
    .text = rgb(0xE6E9EE),
    .muted = rgb(0x98A2B3),
    .faint = rgb(0x566072),
    .grid = rgb(0x262B34),
    .control = rgb(0x282E39),
    .control_hovered = rgb(0x323A47),
    .control_border = rgb(0x39414F),
    .accent = rgb(0x1268C4),
    .on_accent = rgb(0xFFFFFF),
    .grip = rgb(0x4C9AFF),
    .good = rgb(0x3DD68C),
    .warning = rgb(0xF0E442),
    .bad = rgb(0xFF6369),
    .ghost = rgb(0x8A94A6),
    .neutral = rgb(0x12151A),
    .twins = {rgb(0x56B4E9), rgb(0xE69F00), rgb(0x009E73), rgb(0xF0E442)},
    .twin_words = {rgb(0x56B4E9), rgb(0xE69F00), rgb(0x1DB288), rgb(0xF0E442)},
    .classes = {rgb(0x56B4E9), rgb(0xE69F00), rgb(0x12B886), rgb(0xCC79A7), rgb(0xF0E442), rgb(0xE8743B),
                rgb(0x4C7DDB), rgb(0xB197FC), rgb(0xA3B18A), rgb(0xADB5BD)},
};

constexpr Theme light{
    .name = "Light",
    .dark = false,
    .ground = rgb(0xF1F3F6),
    .panel = rgb(0xFFFFFF),
    .border = rgb(0xD9DEE6),
    .text = rgb(0x1B2330),
    .muted = rgb(0x5B6577),
    .faint = rgb(0xA4ADBB),
    .grid = rgb(0xEBEEF2),
    .control = rgb(0xEEF1F5),
    .control_hovered = rgb(0xE2E7EE),
    .control_border = rgb(0xCBD2DC),
    .accent = rgb(0x0B62BF),
    .on_accent = rgb(0xFFFFFF),
    .grip = rgb(0x0B62BF),
    .good = rgb(0x0B7A53),
    .warning = rgb(0x9A6700),
    .bad = rgb(0xC62839),
    .ghost = rgb(0x8791A1),
    .neutral = rgb(0xFFFFFF),
    .twins = {rgb(0x0072B2), rgb(0xD55E00), rgb(0x009E73), rgb(0x882255)},
    .twin_words = {rgb(0x0072B2), rgb(0xB04A00), rgb(0x007A58), rgb(0x882255)},
    .classes = {rgb(0x0072B2), rgb(0xD55E00), rgb(0x009E73), rgb(0xCC79A7), rgb(0xB59F00), rgb(0x7A3E00),
                rgb(0x2F4BB8), rgb(0x8457D9), rgb(0x6B7F4E), rgb(0x6C757D)},
};

constexpr Theme projector{
    .name = "Projector",
    .dark = false,
    .type = 1.25f,
    .ground = rgb(0xE6E9EE),
    .panel = rgb(0xFFFFFF),
    .border = rgb(0x9AA3B2),
    .text = rgb(0x000000),
    .muted = rgb(0x333B47),
    .faint = rgb(0x7A8494),
    .grid = rgb(0xDDE2E9),
    .control = rgb(0xEEF1F5),
    .control_hovered = rgb(0xDDE2EA),
    .control_border = rgb(0x8A94A6),
    .accent = rgb(0x0047A0),
    .on_accent = rgb(0xFFFFFF),
    .grip = rgb(0x0047A0),
    .good = rgb(0x006B45),
    .warning = rgb(0x7A4E00),
    .bad = rgb(0xB00020),
    .ghost = rgb(0x6B7482),
    .neutral = rgb(0xFFFFFF),
    .twins = {rgb(0x0072B2), rgb(0xD55E00), rgb(0x009E73), rgb(0x882255)},
    .twin_words = {rgb(0x005A8C), rgb(0x963F00), rgb(0x00664A), rgb(0x771F4A)},
    .classes = light.classes,
};

const char* existing(std::initializer_list<const char*> candidates) {
    std::error_code error;
    for (const char* file : candidates)
        if (std::filesystem::is_regular_file(file, error)) return file;
    return nullptr;
}

ImFont* load(const char* file, float size) {
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    static const ImWchar ranges[] = {0x20,   0x17F,  0x391,  0x3C9,  0x2010, 0x2026, 0x2190, 0x2193, 0x2212,
                                     0x2212, 0x221A, 0x221A, 0x2248, 0x2248, 0x2264, 0x2265, 0};
    if (file) return atlas.AddFontFromFileTTF(file, std::round(size), nullptr, ranges);
    ImFontConfig config;
    config.SizePixels = std::round(size);
    return atlas.AddFontDefault(&config);
}

// Points of scatter plots are drawn as textured squares, four vertices each.
void paint_disc(const ImFontAtlasCustomRect& rect) {
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    unsigned char* pixels = nullptr;
    int width = 0, height = 0;
    atlas.GetTexDataAsAlpha8(&pixels, &width, &height);
    const float center = static_cast<float>(rect.Width) / 2, radius = center - 1;
    for (int y = 0; y < rect.Height; ++y)
        for (int x = 0; x < rect.Width; ++x) {
            const float distance =
                std::hypot(static_cast<float>(x) + 0.5f - center, static_cast<float>(y) + 0.5f - center);
            const float coverage = std::clamp(radius - distance + 0.5f, 0.0f, 1.0f);
            pixels[(rect.Y + y) * width + rect.X + x] = static_cast<unsigned char>(coverage * 255);
        }
}

}  // namespace

Color faded(Color color, float alpha) {
    const auto opacity = static_cast<Color>(std::lround(alpha * static_cast<float>(color >> 24)));
    return (color & 0x00FFFFFFu) | opacity << 24;
}

Color mixed(Color a, Color b, float t) {
    const float s = std::clamp(t, 0.0f, 1.0f);
    Color result = 0xFF000000u;
    for (int shift = 0; shift < 24; shift += 8) {
        const float from = static_cast<float>(a >> shift & 0xFF), to = static_cast<float>(b >> shift & 0xFF);
        result |= static_cast<Color>(std::lround(from + (to - from) * s)) << shift;
    }
    return result;
}

const Theme& dark_theme() {
    return dark;
}
const Theme& light_theme() {
    return light;
}

const Theme& projector_theme() {
    return projector;
}

const Theme& theme_of(ThemeChoice choice) {
    return choice == ThemeChoice::dark ? dark : choice == ThemeChoice::light ? light : projector;
}

ThemeChoice next_theme(const Theme& theme) {
    return theme.dark ? ThemeChoice::light : theme.type > 1 ? ThemeChoice::dark : ThemeChoice::projector;
}

std::vector<Fonts> load_fonts(std::span<const float> scales) {
    const char* regular = existing({"/usr/share/fonts/opentype/inter/Inter-Regular.otf",
                                    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"});
    const char* medium = existing({"/usr/share/fonts/opentype/inter/Inter-SemiBold.otf",
                                   "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"});
    const char* mono = existing({"/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf",
                                 "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"});
    std::vector<Fonts> all;
    for (const float scale : scales)
        all.push_back({.body = load(regular, 14 * scale),
                       .strong = load(medium, 14 * scale),
                       .small = load(regular, 12 * scale),
                       .mono = load(mono, 12.5f * scale),
                       .symbol = load(medium, 20 * scale),
                       .disc_low = {},
                       .disc_high = {}});

    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    const int size = static_cast<int>(std::ceil(16 * *std::max_element(scales.begin(), scales.end())));
    const int disc = atlas.AddCustomRectRegular(size, size);
    atlas.Build();
    const ImFontAtlasCustomRect& rect = *atlas.GetCustomRectByIndex(disc);
    paint_disc(rect);
    for (Fonts& fonts : all) atlas.CalcCustomRectUV(&rect, &fonts.disc_low, &fonts.disc_high);
    return all;
}

void apply(const Theme& theme, float scale) {
    ImGuiStyle style;
    style.WindowPadding = {0, 0};
    style.WindowRounding = 0;
    style.WindowBorderSize = 0;
    style.ChildRounding = 8;
    style.PopupRounding = 6;
    style.FrameRounding = 6;
    style.GrabRounding = 6;
    style.FrameBorderSize = 1;
    style.FramePadding = {9, 5};
    style.ItemSpacing = {8, 6};
    style.ItemInnerSpacing = {7, 4};
    style.ScrollbarSize = 9;
    style.ScrollbarRounding = 5;
    style.DisabledAlpha = 0.45f;
    style.ScaleAllSizes(scale);

    const auto set = [&](ImGuiCol index, Color color) {
        style.Colors[index] = ImGui::ColorConvertU32ToFloat4(color);
    };
    for (ImVec4& color : style.Colors) color = ImGui::ColorConvertU32ToFloat4(theme.control);
    set(ImGuiCol_Text, theme.text);
    set(ImGuiCol_TextDisabled, theme.muted);
    set(ImGuiCol_WindowBg, 0);
    set(ImGuiCol_ChildBg, 0);
    set(ImGuiCol_PopupBg, theme.dark ? rgb(0x232933) : rgb(0xFFFFFF));
    set(ImGuiCol_Border, theme.control_border);
    set(ImGuiCol_BorderShadow, 0);
    set(ImGuiCol_FrameBg, theme.control);
    set(ImGuiCol_FrameBgHovered, theme.control_hovered);
    set(ImGuiCol_FrameBgActive, theme.control_hovered);
    set(ImGuiCol_Button, theme.control);
    set(ImGuiCol_ButtonHovered, theme.control_hovered);
    set(ImGuiCol_ButtonActive, theme.control_border);
    set(ImGuiCol_Header, mixed(theme.panel, theme.grip, 0.25f));
    set(ImGuiCol_HeaderHovered, mixed(theme.panel, theme.grip, 0.18f));
    set(ImGuiCol_HeaderActive, mixed(theme.panel, theme.grip, 0.35f));
    set(ImGuiCol_CheckMark, theme.grip);
    set(ImGuiCol_SliderGrab, theme.grip);
    set(ImGuiCol_SliderGrabActive, theme.grip);
    set(ImGuiCol_ScrollbarBg, 0);
    set(ImGuiCol_ScrollbarGrab, theme.control_border);
    set(ImGuiCol_ScrollbarGrabHovered, theme.faint);
    set(ImGuiCol_ScrollbarGrabActive, theme.faint);
    set(ImGuiCol_TextSelectedBg, faded(theme.grip, 0.4f));
    set(ImGuiCol_NavHighlight, theme.grip);
    set(ImGuiCol_Separator, theme.border);
    ImGui::GetStyle() = style;
}

}  // namespace lab
