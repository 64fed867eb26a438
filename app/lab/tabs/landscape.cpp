// The tab of what lies along the gradient of each twin.
#include "app/lab/panels/landscape.hpp"

#include "app/lab/tabs.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

class Landscape final : public Tab {
  public:
    const char* name() const override { return "Landscape"; }
    const char* note() const override {
        return "How loss and gradient change along the gradient: how smooth the loss is";
    }
    void draw(const TabFrame& frame) override {
        grid_.begin(frame.run, frame.then);
        grid_.draw(frame.look, frame.area, PanelGrid::columns, frame.run, frame.then);
    }
    void draw_controls(const TabFrame& frame) override {
        const Field& field = field_named("landscape-every");
        if (is_concealed(field, frame.settings) || !section(frame.look, "Landscape", 0)) return;
        uint32_t& every = frame.settings.landscape_every;
        slider(frame.look, field.label, every, 1, std::max(100u, every), std::to_string(every));
        hint(frame.look, note_of(field).c_str());
    }
    bool step_back() override { return grid_.leave_full(); }
    std::vector<Shortcut> shortcuts(PanelGrid&) override { return grid_.shortcuts(); }
    bool Settings::*measured() const override { return &Settings::landscape; }

  private:
    PanelGrid grid_{landscape_panels};
};

}  // namespace

std::unique_ptr<Tab> landscape_tab() {
    return std::make_unique<Landscape>();
}

}  // namespace lab
