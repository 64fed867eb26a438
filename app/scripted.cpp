#include "app/scripted.hpp"

#include <atomic>
#include <cstdio>

#include <vknorm/file.hpp>

#include "app/experiment/session.hpp"
#include "app/exports.hpp"
#include "app/gpu/offscreen.hpp"
#include "app/lab/script_player.hpp"
#include "app/output.hpp"

namespace lab {

void run_scripted(const Options& options) {
    const Script script = read_script(options.script);
    std::atomic<size_t> validation_messages = 0;
    const auto on_validation_message = [&](std::string_view message) {
        ++validation_messages;
        std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
    };
    vknorm::Device device({.select = options.device,
                           .validation = options.validation,
                           .on_validation_message = on_validation_message});
    Gpu gpu(device.info(), {options.validation, on_validation_message, {}});
    Session session(device, options.settings);
    Screen screen(1, least_window);
    screen.set_theme(theme_of(options.theme));
    Renderer renderer(gpu, VK_FORMAT_R8G8B8A8_UNORM);
    Shell shell(session);
    const auto picture = [&](const Frame& frame) {
        return Offscreen(gpu, renderer, options.width, options.height).draw(frame);
    };
    const ImVec2 size{static_cast<float>(options.width), static_cast<float>(options.height)};
    const auto obey = [&](const Frame& frame, const Requests& requests) {
        if (requests.plot)
            shell.announce(
                export_plot(options.out, *requests.plot, shell, screen, size, session.snapshot()->step, gpu));
        if (requests.screenshot) shell.announce(export_picture(options.out, picture(frame)));
        if (requests.export_run)
            shell.announce(export_run(options.out, *session.snapshot(), session.sweep().get(), device.info(),
                                      0, options.command_line, picture(frame)));
    };
    const auto shot = [&](const Frame& frame, const std::filesystem::path& file) {
        if (file.has_parent_path()) vknorm::make_folder(file.parent_path());
        require_output(file, options.force);
        write_png(picture(frame), file);
        std::printf("Picture: %s\n", file.c_str());
    };
    ScriptPlayer(screen, shell, session, size, {obey, shot}).play(script);
    if (validation_messages > 0) throw std::runtime_error("the validation layer complained");
}

}  // namespace lab
