#include "app/lab/picture.hpp"

#include "app/lab/shell.hpp"

namespace lab {

namespace {

/// Nobody steers a picture.
class Still : public Commands {
  public:
    explicit Still(const Snapshot& run) : shown_(std::make_shared<const Snapshot>(run)) {}

    void run() override {}
    void pause() override {}
    void step() override {}
    void reset() override {}
    void apply(const Settings&) override {}
    void undo() override {}
    void redo() override {}
    void bring_back(uint64_t) override {}
    void pin(uint64_t, bool) override {}
    std::shared_ptr<const Snapshot> snapshot() const override { return shown_; }

  private:
    std::shared_ptr<const Snapshot> shown_;
};

}  // namespace

Picture live_picture(Gpu& gpu, const Snapshot& run, uint32_t width, uint32_t height, const Theme& theme) {
    Still still(run);
    Screen screen(1, least_window);
    screen.set_theme(theme);
    Renderer renderer(gpu, VK_FORMAT_R8G8B8A8_UNORM);
    Shell shell(still);
    screen.begin({static_cast<float>(width), static_cast<float>(height)}, 1.0f / 30);
    shell.draw(screen, 0);
    const Frame frame = screen.end();
    return Offscreen(gpu, renderer, width, height).draw(frame);
}

}  // namespace lab
