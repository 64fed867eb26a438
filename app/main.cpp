#include <cstdio>
#include <span>
#include <variant>

#include "app/complaint.hpp"
#include "app/desktop.hpp"
#include "app/gpu/window.hpp"
#include "app/headless.hpp"
#include "app/options.hpp"
#include "app/scripted.hpp"

namespace {

int run_interface(const lab::Options& options) {
    try {
        options.script.empty() ? lab::run_desktop(options) : lab::run_scripted(options);
        return lab::exit_status::ok;
    } catch (const vknorm::Error& error) {
        if (error.result() != VK_ERROR_DEVICE_LOST) return lab::complain_about_device(error);
        return lab::complain(lab::exit_status::failed, error.what());
    } catch (const std::exception& error) {
        return lab::complain(lab::exit_status::failed, error.what());
    }
}

}  // namespace

int main(int argc, char** argv) {
    auto parsed =
        lab::parse_options(std::span<const char* const>(argv, argv + argc).subspan(argc > 0 ? 1 : 0));
    if (const auto* answer = std::get_if<lab::Answer>(&parsed)) {
        if (answer->status != lab::exit_status::ok) return lab::complain(answer->status, answer->text);
        std::fputs(answer->text.c_str(), stdout);
        return answer->status;
    }
    auto& options = std::get<lab::Options>(parsed);
    if (!options.script.empty()) return run_interface(options);
    if (!options.headless && options.shot.empty() && !options.experiment && options.sweep.empty()) {
        if (lab::display_available()) return run_interface(options);
        std::fprintf(stderr, "No display: training without a window, with a report in %s.\n",
                     options.out.c_str());
        options.headless = true;
    }
    return lab::run_headless(options);
}
