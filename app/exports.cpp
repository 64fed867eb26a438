#include "app/exports.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <vknorm/file.hpp>

#include "app/experiment/csv_text.hpp"
#include "app/experiment/report.hpp"
#include "app/experiment/sweep_table.hpp"
#include "app/experiment/sweeper.hpp"
#include "app/gpu/offscreen.hpp"
#include "app/ui/svg.hpp"

namespace lab {

namespace {

/// `folder`/`stem`1`extension`, or the first number that is not taken.
std::filesystem::path fresh(const std::filesystem::path& folder, const std::string& stem,
                            const char* extension) {
    for (int number = 1;; ++number) {
        std::filesystem::path candidate = folder / (stem + std::to_string(number) + extension);
        std::error_code unreadable;
        if (!std::filesystem::exists(candidate, unreadable)) return candidate;
    }
}

/// "distribution A" in a file's name.
std::string in_a_name(std::string words) {
    std::replace_if(
        words.begin(), words.end(), [](unsigned char c) { return !std::isalnum(c); }, '-');
    words.erase(0, std::min(words.find_first_not_of('-'), words.size()));
    return words;
}

std::string csv_of(const Table& table) {
    std::string text;
    const auto add = [&](const std::vector<std::string>& cells) {
        for (size_t i = 0; i < cells.size(); ++i) {
            const bool plain = cells[i].find_first_of(",\"\n") == std::string::npos;
            text += (i == 0 ? "" : ",") + (plain ? cells[i] : in_quotes(cells[i]));
        }
        text += '\n';
    };
    add(table.head);
    for (const std::vector<std::string>& row : table.rows) add(row);
    return text;
}

/// `area` of what `frame` shows, of the current ImGui context.
Picture picture_of(Gpu& gpu, const Frame& frame, const plot::Rect& area) {
    const ImDrawData& data = *frame.draw_data;
    const auto pixel = [](float value) { return static_cast<uint32_t>(std::lround(std::max(value, 0.0f))); };
    const Renderer renderer(gpu, VK_FORMAT_R8G8B8A8_UNORM);
    const ImVec2 scale = data.FramebufferScale;
    const Picture whole =
        Offscreen(gpu, renderer, pixel(data.DisplaySize.x * scale.x), pixel(data.DisplaySize.y * scale.y))
            .draw(frame);
    const uint32_t left = pixel(area.min.x * scale.x),
                   right = std::min(pixel(area.max.x * scale.x), whole.width),
                   top = pixel(area.min.y * scale.y),
                   bottom = std::min(pixel(area.max.y * scale.y), whole.height);
    Picture part{right - left, bottom - top, {}};
    for (uint32_t y = top; y < bottom; ++y)
        part.rgba.insert(part.rgba.end(), whole.pixel(left, y),
                         whole.pixel(left, y) + size_t{part.width} * 4);
    return part;
}

}  // namespace

std::string export_plot(const std::filesystem::path& folder, const PlotRequest& request, Shell& shell,
                        const Screen& screen, ImVec2 size, uint64_t step, Gpu& gpu) {
    const PlotFormat format = request.format->format;
    // Drawn once more where nobody points at anything; larger, so that a picture is sharp in print.
    const float larger = format == PlotFormat::png ? 2 : 1;
    Screen apart(screen, larger);
    apart.plots().want_table(request.id);
    apart.begin({size.x * larger, size.y * larger}, 1.0f / 30);
    shell.draw(apart, 0);
    const Frame frame = apart.end();
    const DrawnPlot* const plot = apart.plots().find(request.id);
    if (plot == nullptr) return "That plot is no longer on the screen";
    const Table& table = apart.plots().table();
    if (format == PlotFormat::csv && table.rows.empty())
        return plot->title + ": there are no numbers to write";

    vknorm::make_folder(folder);
    const auto past = shell.past_step();  // curves are whole all the same
    const std::string steps = (past ? std::to_string(*past) + "-of-" : "") + std::to_string(step);
    const std::filesystem::path file =
        fresh(folder, in_a_name(request.id) + "-step-" + steps + "-", request.format->extension);
    const plot::Rect area{plot->min, plot->max};
    if (format == PlotFormat::png)
        write_png(picture_of(gpu, frame, area), file);
    else
        vknorm::write_file(
            file, format == PlotFormat::svg ? svg_of(frame, area, apart.look().fonts) : csv_of(table),
            vknorm::Existing::refused);
    return plot->title + ": " + file.string();
}

std::string export_picture(const std::filesystem::path& folder, const Picture& picture) {
    vknorm::make_folder(folder);
    const std::filesystem::path file = fresh(folder, "screen-", ".png");
    write_png(picture, file);
    return "Picture: " + file.string();
}

std::string export_run(const std::filesystem::path& folder, const Snapshot& run, const SweepView* sweep,
                       const vknorm::DeviceInfo& device, double steps_per_second,
                       const std::string& command_line, const Picture& picture) {
    const std::filesystem::path its = fresh(folder, "run-", "");
    vknorm::make_folder(its);
    write_summary(its / "summary.json", run, device, steps_per_second, command_line);
    write_history(its / "history.csv", run);
    write_events(its / "events.csv", run);
    write_distributions(its / "distributions.csv", run);
    if (sweep) write_sweep(its / "sweep.csv", sweep->plan, sweep->cells);
    write_png(picture, its / "screen.png");
    const std::string note = merged_steps_note(run);
    return "Written to " + its.string() + (note.empty() ? ": tables and a picture" : ". " + note);
}

}  // namespace lab
