#include "app/experiment/sweep.hpp"

#include <algorithm>
#include <cstdlib>

#include "app/experiment/measures.hpp"
#include "app/experiment/share.hpp"

namespace lab {

namespace {

std::vector<std::string> split_at_slashes(const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char c : text)
        if (c == '/')
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

/// Sets it for the twin, or where the command line has one flag for all twins, for all.
void set(Settings& settings, const SweepAxis& axis, const std::string& value) {
    const bool all = is_of_twin(*axis.field) && axis.field->flag != Flag::for_each_twin;
    const size_t first = all ? 0 : axis.twin, last = all ? settings.twins.size() - 1 : axis.twin;
    for (size_t twin = first; twin <= last; ++twin) read(*axis.field, settings, twin, value);
}

std::optional<SweepAxis> axis_of_flag(const std::string& flag, size_t twins) {
    for (const Field& field : fields)
        for (size_t twin = 0; twin < (field.flag == Flag::for_each_twin ? twins : 1); ++twin)
            if (field.flag != Flag::none && field.effect != Effect::view && flag_of(field, twin) == flag)
                return SweepAxis{&field, twin};
    return std::nullopt;
}

}  // namespace

SweepAxis read_axis(const std::string& text, const Settings& base) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) throw Unfit(text, "SETTING=VALUE/VALUE/..., such as lr=0.01/0.1/1");
    const std::string word = text.substr(0, equals);
    const auto found = axis_of_flag("--" + word, base.twins.size());
    if (!found || found->field == &field_named("twins"))
        throw Unfit(word, "a setting of a run as the command line names it, such as lr, batch or norm-b");
    SweepAxis axis = *found;
    axis.values = split_at_slashes(text.substr(equals + 1));
    for (const std::string& value : axis.values) {
        if (std::count(axis.values.begin(), axis.values.end(), value) > 1)
            throw Unfit(text, "every value once, without " + value + " again");
        Settings settings = base;
        set(settings, axis, value);
    }
    return axis;
}

std::string text_of(const SweepAxis& axis) {
    std::string text = flag_of(*axis.field, axis.twin).substr(2) + "=";
    for (size_t i = 0; i < axis.values.size(); ++i) text += (i == 0 ? "" : "/") + axis.values[i];
    return text;
}

double number_of(const SweepAxis& axis, size_t index) {
    const std::string& text = axis.values.at(index);
    if (std::holds_alternative<Numbers>(axis.field->kind))
        return static_cast<double>(std::count(text.begin(), text.end(), ',') + 1);
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    return end == text.c_str() + text.size() ? number : static_cast<double>(index + 1);
}

Sweep::Sweep(vknorm::Device& device, const SweepPlan& plan, std::span<const SweepCell> earlier)
    : device_(device), plan_(plan) {
    for (uint32_t seed = 0; seed < plan.seeds; ++seed)
        for (size_t across = 0; across < (plan.across ? plan.across->values.size() : 1); ++across)
            for (size_t along = 0; along < plan.along.values.size(); ++along) {
                SweepCell cell{along, across, plan.base.seed + seed, plan.steps};
                try {
                    cell.run = share_string(settings_of(cell));
                } catch (const Unfit& unfit) {
                    cell.refused = unfit.what();
                }
                const auto found = std::find_if(earlier.begin(), earlier.end(),
                                                [&](const SweepCell& one) { return one.is_same_run(cell); });
                if (found != earlier.end()) cell.twins = found->twins, cell.refused = found->refused;
                cells_.push_back(std::move(cell));
            }
    skip_made();
}

Settings Sweep::settings_of(const SweepCell& cell) const {
    Settings settings = plan_.base;
    settings.seed = cell.seed;
    set(settings, plan_.along, plan_.along.values[cell.along]);
    if (plan_.across) set(settings, *plan_.across, plan_.across->values[cell.across]);
    return settings;
}

void Sweep::skip_made() {
    while (next_ < cells_.size() && cells_[next_].made()) ++next_;
}

size_t Sweep::made() const {
    return static_cast<size_t>(
        std::count_if(cells_.begin(), cells_.end(), [](const SweepCell& cell) { return cell.made(); }));
}

double Sweep::progress() const {
    const double part = run_ ? static_cast<double>(run_->steps()) / static_cast<double>(plan_.steps) : 0;
    return (static_cast<double>(made()) + part) / static_cast<double>(cells_.size());
}

std::string Sweep::under_way() const {
    if (finished()) return "";
    const SweepCell& cell = cells_[next_];
    const auto place = [](const SweepAxis& axis, size_t index) {
        return flag_of(*axis.field, axis.twin).substr(2) + " " + axis.values[index] + ", ";
    };
    return (plan_.across ? place(*plan_.across, cell.across) : "") + place(plan_.along, cell.along) +
           "seed " + std::to_string(cell.seed);
}

void Sweep::step() {
    if (finished()) return;
    try {
        if (!run_) {
            const Settings settings = settings_of(cells_[next_]);
            run_.emplace(device_, settings, data_.of(settings));
        }
        if (run_->steps() < plan_.steps && !run_->ended()) run_->step();
        if (run_->steps() >= plan_.steps || run_->ended()) end_run();
    } catch (const std::invalid_argument& refused) {  // values that do not go with each other
        cells_[next_].refused = refused.what();
        run_.reset();
        skip_made();
    }
}

void Sweep::end_run() {
    run_->evaluate();
    for (const Twin& twin : run_->twins()) {
        const TwinView view = twin.view();
        SweepOutcome outcome{.accuracy = accuracy(view, run_->data().train->classes)};
        if (view.divergence) outcome.diverged_at = view.divergence->step;
        if (!view.training.empty())
            outcome.loss = static_cast<double>(view.training.back().value.lightly_smoothed_loss);
        cells_[next_].twins.push_back(outcome);
    }
    run_.reset();
    skip_made();
}

}  // namespace lab
