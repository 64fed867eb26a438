#include "check/summary.hpp"

#include <cstdio>
#include <utility>

#include "check/family.hpp"

namespace vknorm::check {

void Worst::update(double candidate, const std::string& name) {
    if (!(candidate > value)) return;
    value = candidate;
    tensor = name;
}

void Summary::add(const Outcome& outcome) {
    ++cases;
    failed += !outcome.failures.empty();
    for (const auto& [tensor, deviation] : outcome.deviations) {
        ratio.update(deviation.ratio, tensor);
        ulps.update(deviation.ulps, tensor);
    }
}

std::string Summary::line(const std::string& name, const std::string& device) const {
    char text[512];
    std::snprintf(
        text, sizeof text,
        "accuracy  %-34s %3d cases, %d failed  worst error/bound %.2f (%s)  worst ULP %.1f (%s)  %s",
        name.c_str(), cases, failed, ratio.value, ratio.tensor.c_str(), ulps.value, ulps.tensor.c_str(),
        device.c_str());
    const std::string skips = skipped == 0 ? "" : "  SKIPPED " + std::to_string(skipped) + ": " + reason;
    return text + skips + '\n';
}

Summary& summary_of(Summaries& summaries, const Call& call) {
    const bool sixteen = storage_of(call.settings) != Storage::float32;
    return summaries[call.operation->name + " " + call.mode->name + (sixteen ? " 16 bits" : "")];
}

std::optional<Outcome> check(Device& device, const Call& call, Summaries& summaries) {
    Summary& summary = summary_of(summaries, call);
    HostTensors results;
    try {
        results = run(device, call);
    } catch (const Unsupported& error) {
        ++summary.skipped;
        summary.reason = error.what();
        return {};
    }
    Outcome outcome = compare(call, std::move(results), call.mode->expect(call));
    summary.add(outcome);
    return outcome;
}

}  // namespace vknorm::check
