// The tab of the run as it goes: every panel, and what their flags stand for.
#include "app/lab/event_strip.hpp"
#include "app/lab/tabs.hpp"

namespace lab {

namespace {

class Live final : public Tab {
  public:
    const char* name() const override { return "Live"; }
    const char* note() const override { return "The run as it goes"; }
    bool turns_back() const override { return true; }
    void draw(const TabFrame& frame) override {
        plot::Rect plots = frame.area;
        if (!frame.run.events.empty()) {
            const plot::Rect strip{{plots.min.x, plots.max.y - frame.look.px(event_strip_height)}, plots.max};
            plots.max.y = strip.min.y - frame.look.px(2);
            if (const auto step = draw_event_strip(frame.look, strip, frame.run))
                frame.panels.look_closely(*step);
        }
        frame.panels.draw(frame.look, plots, PanelGrid::columns, frame.run, frame.then);
    }
    std::vector<Shortcut> shortcuts(PanelGrid& panels) override { return panels.shortcuts(); }
};

}  // namespace

std::unique_ptr<Tab> live_tab() {
    return std::make_unique<Live>();
}

}  // namespace lab
