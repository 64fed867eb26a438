#include "app/experiment/moments.hpp"

#include <algorithm>
#include <utility>

namespace lab {

namespace {

template <class Row>
void keep_latest(History<Row>& kept, const History<Row>& all) {
    if (!all.empty()) kept.push(all.back().step, all.back().value);
}

TwinView moment_of(const TwinView& now) {
    TwinView then;
    keep_latest(then.test, now.test);
    keep_latest(then.unit, now.unit);
    then.layers = now.layers;
    then.boundary = now.boundary;
    then.maps = now.maps;
    then.predicted = now.predicted;
    then.divergence = now.divergence;
    then.specimens = now.specimens;
    return then;
}

std::shared_ptr<const Snapshot> moment_of(const Snapshot& now) {
    auto then = std::make_shared<Snapshot>();
    then->run = now.run;
    then->settings = now.settings;
    then->step = now.step;
    then->epoch = now.epoch;
    then->train = now.train;
    then->test = now.test;
    then->origin = now.origin;
    then->batch_note = now.batch_note;
    then->twins.clear();
    for (const TwinView& twin : now.twins) then->twins.push_back(moment_of(twin));
    return then;
}

size_t bytes_of(const Snapshot& moment) {
    constexpr size_t tensors = 4;  // of a specimen: x, y and their gradients
    size_t floats = 0;
    for (const TwinView& twin : moment.twins) {
        floats += twin.boundary.probability.size() + twin.maps.values.size();
        for (const LayerView& layer : twin.layers)
            floats +=
                layer.normalized.share.size() + layer.channels.size() * sizeof(ChannelRow) / sizeof(float);
        for (const auto& specimen : twin.specimens)
            if (specimen) floats += tensors * specimen->elements();
    }
    return floats * sizeof(float);
}

}  // namespace

void Moments::add(const Snapshot& run) {
    if (run.step == 0) return;
    if (!kept_.empty() && run.step == kept_.back()->step) {
        bytes_ -= bytes_of(*kept_.back());
        kept_.pop_back();
    } else if (!kept_.empty() && stretch(run) == stretch(*kept_.back())) {
        return;
    }
    keep(moment_of(run));
    while (kept_.size() > 1 && (kept_.size() > most || bytes_ > most_bytes)) thin_out();
}

void Moments::keep(std::shared_ptr<const Snapshot> moment) {
    bytes_ += bytes_of(*moment);
    kept_.push_back(std::move(moment));
}

void Moments::thin_out() {
    length_ *= 2;
    bytes_ = 0;
    for (std::shared_ptr<const Snapshot>& moment : std::exchange(kept_, {}))
        if (kept_.empty() || stretch(*moment) != stretch(*kept_.back())) keep(std::move(moment));
}

bool shows_inspected(const Snapshot& moment, const Settings& settings) {
    const bool maps = std::any_of(moment.twins.begin(), moment.twins.end(),
                                  [](const TwinView& twin) { return twin.maps.pictures > 0; });
    return !maps || (moment.settings.inspected_layer == settings.inspected_layer &&
                     moment.settings.inspected_unit == settings.inspected_unit);
}

}  // namespace lab
