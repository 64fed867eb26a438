// The tab of the run as it goes: every panel.
#include "app/lab/tabs.hpp"

namespace lab {

namespace {

class Live final : public Tab {
  public:
    const char* name() const override { return "Live"; }
    const char* note() const override { return "The run as it goes"; }
    void draw(const TabFrame& frame) override {
        frame.panels.draw(frame.look, frame.area, PanelGrid::columns, frame.run);
    }
    std::vector<Shortcut> shortcuts(PanelGrid& panels) override { return panels.shortcuts(); }
};

}  // namespace

std::unique_ptr<Tab> live_tab() {
    return std::make_unique<Live>();
}

}  // namespace lab
