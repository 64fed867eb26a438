#include "app/desktop.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "app/experiment/session.hpp"
#include "app/exports.hpp"
#include "app/first_run.hpp"
#include "app/gpu/offscreen.hpp"
#include "app/gpu/window.hpp"
#include "app/lab/shell.hpp"

namespace lab {

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// More pictures a second would only take time from training: on a CPU they share the cores.
constexpr Seconds frame_interval{1.0 / 30};
// So long after the last event hints may appear and pressed buttons spring back.
constexpr Seconds settling{0.8};

double seconds_since(Clock::time_point begin) {
    return Seconds(Clock::now() - begin).count();
}

void say(std::string_view message) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
}

vknorm::DeviceOptions training_device(const Options& options) {
    return {.select = options.device,
            .validation = options.validation,
            .on_validation_message = say,
            .tuning = options.tuning.empty() ? vknorm::Tuner() : vknorm::tuned_in(options.tuning)};
}

class Desktop {
  public:
    explicit Desktop(const Options& options)
        : options_(options),
          device_(training_device(options)),
          gpu_(device_.info(), {options.validation, say, window_extensions()}),
          session_(device_, options.settings),
          window_(gpu_, "vknorm Lab", {options.width, options.height},
                  {static_cast<uint32_t>(least_window.x), static_cast<uint32_t>(least_window.y)}),
          screen_(window_.scale(), least_window),
          renderer_(gpu_, window_.format()),
          shell_(session_) {
        window_.connect(screen_.input());
        screen_.set_theme(theme_of(options.theme));
        if (!was_introduced()) shell_.introduce();
    }

    void run() {
        Clock::time_point previous = Clock::now(), touched = previous;
        while (!closing_) {
            // Events end the wait early; the picture keeps its pace nevertheless.
            do window_.wait(std::max(frame_interval.count() - seconds_since(previous), 0.0));
            while (!window_.close_requested() && seconds_since(previous) < frame_interval.count());
            if (window_.close_requested()) return;

            if (!screen_.input().empty()) touched = Clock::now();
            const uint64_t revision = session_.snapshot()->revision;
            const uint64_t studies = session_.studies_revision();
            const bool still = revision == shown_revision_ && studies == shown_studies_ && !resized() &&
                               !screen_.restless() && !moving_ && seconds_since(touched) > settling.count();
            const double elapsed = seconds_since(previous);
            previous = Clock::now();
            if (still || !window_.ready()) continue;
            shown_revision_ = revision;
            shown_studies_ = studies;
            draw(elapsed);
        }
    }

  private:
    bool resized() {
        const VkExtent2D before = shown_extent_;
        shown_extent_ = window_.ready() ? window_.extent() : before;
        return before.width != shown_extent_.width || before.height != shown_extent_.height;
    }

    void draw(double elapsed) {
        const Clock::time_point begin = Clock::now();
        const VkExtent2D extent = window_.extent();
        screen_.begin({static_cast<float>(extent.width), static_cast<float>(extent.height)},
                      static_cast<float>(elapsed));
        const std::shared_ptr<const Snapshot> run = session_.snapshot();
        if (run->running)
            steps_per_second_ =
                run->samples_per_second / static_cast<double>(examples_per_step(run->settings));
        const Requests requests = shell_.draw(screen_, frame_ms_);
        closing_ = requests.close;
        moving_ = requests.redraw;
        if (requests.introduced) remember_introduction();
        const Frame frame = screen_.end();
        if (closing_) return;  // nobody waits for this picture
        window_.draw(renderer_, frame);
        frame_ms_ = static_cast<float>(seconds_since(begin) * 1000);
        try {
            if (requests.screenshot) shell_.announce(export_picture(options_.out, picture(frame)));
            if (requests.export_run)
                shell_.announce(export_run(options_.out, *session_.snapshot(), session_.sweep().get(),
                                           device_.info(), steps_per_second_, options_.command_line,
                                           picture(frame)));
            if (requests.plot)
                shell_.announce(export_plot(
                    options_.out, *requests.plot, shell_, screen_,
                    {static_cast<float>(extent.width), static_cast<float>(extent.height)}, run->step, gpu_));
        } catch (const std::exception& error) {
            shell_.announce(error.what());
        }
    }

    Picture picture(const Frame& frame) {
        return Offscreen(gpu_, renderer_, window_.extent().width, window_.extent().height).draw(frame);
    }

    const Options& options_;
    vknorm::Device device_;
    Gpu gpu_;
    Session session_;
    Window window_;
    Screen screen_;
    Renderer renderer_;
    Shell shell_;
    bool closing_ = false, moving_ = false;
    uint64_t shown_revision_ = 0, shown_studies_ = 0;
    VkExtent2D shown_extent_{};
    float frame_ms_ = 0;
    double steps_per_second_ = 0;  // when it last ran
};

}  // namespace

void run_desktop(const Options& options) {
    Desktop desktop(options);
    desktop.run();
    if (options.validation) return;  // whatever is left undone must be heard of
    // Drivers take seconds to free what the end of the process frees at once.
    std::fflush(nullptr);
    std::_Exit(exit_status::ok);
}

}  // namespace lab
