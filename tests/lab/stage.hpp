// Where tests of the Lab's screen take place: a screen without a display, driven through its input queue,
// read by the text and the triangles it draws.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/gpu/offscreen.hpp"
#include "app/lab/shell.hpp"
#include "app/ui/drawn_text.hpp"
#include "lab/synthetic.hpp"

namespace lab::testing {

/// The device under test, validation on; any message fails the running test. It trains, and it draws.
vknorm::DeviceOptions test_device();
Gpu& test_gpu();
/// Chooses it, before its first use.
void select_test_gpu(const std::string& name);
/// Destroys it; false when the validation layer spoke outside of a test.
bool destroy_test_gpu();

class Stage {
  public:
    explicit Stage(const Settings& settings = {}, uint64_t steps = 600, ImVec2 size = {1600, 1000},
                   std::span<const MakeTab> tabs = all_tabs, float scale = 1);

    /// One frame; what it drew stays until the next one.
    void frame();
    /// Frames until the input queue is empty and what was clicked has had its effect.
    void settle();
    /// The latest frame in pixels.
    Picture picture();
    /// The same without its letters: what lies behind them.
    Picture ground();

    void click(ImVec2 at);
    void drag(ImVec2 from, ImVec2 to);
    void hover(ImVec2 at);
    void press(Key key);
    /// Brings it to the front by its digit, and takes the pointer away.
    void open(MakeTab tab);

    /// Every letter of the latest frame, in drawing order.
    const std::vector<Glyph>& glyphs();
    /// Where `words` stand in `font`, all occurrences in drawing order.
    std::vector<plot::Rect> find(const std::string& words, const ImFont* font);
    /// The only or first one; fails the test when there is none.
    plot::Rect the(const std::string& words, const ImFont* font);
    /// How often they stand there in the font of labels or of titles.
    size_t seen(const std::string& words);

    const ImDrawData& draw_data() const { return *frame_.draw_data; }
    ShellLayout layout() {
        const Snapshot& run = *commands.snapshot();
        return lay_out(screen.look(), ImGui::GetIO().DisplaySize, run.kept.size(), shell.turns_back(run));
    }
    /// Where the panel of that id is in the latest frame, and what its plot says. Throws when there is none.
    plot::Rect panel(const std::string& id) const { return find_panel(id).frame; }
    const plot::PlotState& plot(const std::string& id) const { return find_panel(id).plot; }
    /// In place of the panels' last column.
    plot::Rect plan() { return PanelGrid::column(screen.look(), layout().tab, PanelGrid::columns - 1); }
    /// All that words may stand in.
    std::vector<plot::Rect> frames();
    size_t calls(const std::string& name) const;

    ImVec2 size;
    RecordedCommands commands;
    Screen screen;
    Shell shell;
    Requests requests;  ///< all that were made

  private:
    const Panel& find_panel(const std::string& id) const;

    Frame frame_{};
    DrawnText text_;
    std::optional<std::vector<Glyph>> glyphs_;
};

ImVec2 center(const plot::Rect& rect);
/// The place of a tab in the strip as its digit.
Key digit_of(MakeTab tab);
/// Whether a pixel is this colour, but for rounding.
bool is(const uint8_t* pixel, Color color, int tolerance = 6);
/// Pixels of `color` in `area`.
size_t count(const Picture& picture, const plot::Rect& area, Color color, int tolerance = 6);

}  // namespace lab::testing
