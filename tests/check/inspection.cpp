#include "check/inspection.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

namespace vknorm::check {

namespace {

// What is no rounding of a healthy run, but a state that inference suffers from.
constexpr double zero_variance = 1e-10;   // below what the epsilon of any framework lets through
constexpr double dead = 1e-6;             // of gamma and beta together: the channel gives nothing
constexpr double exploding = 1000;        // three times what gamma = 1 makes of the smallest variance
constexpr double exploding_beside = 100;  // also this, where it is as many times the layer's median
constexpr double hardly_moved = 0.02;     // of mean and variance from 0 and 1
constexpr double stale = 0.1;             // of the batches that another layer has counted
constexpr double initial_share = 0.01;    // of the running statistics that the initial 0 and 1 may still be
constexpr double largest_float16 = 65504;

/// The values of a norm's tensors; empty: it has none.
struct Norm {
    std::vector<float> gamma, beta, mean, variance;

    size_t channels() const { return std::max({gamma.size(), beta.size(), mean.size(), variance.size()}); }
};

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

[[noreturn]] void refuse(const std::string& file, const std::string& tensor, const HostTensor& got,
                         const std::string& needs) {
    throw FormatError(file + ": " + tensor + ": got " + name_of(got.dtype) + " " + shape_text(got.shape) +
                      ", needs " + needs);
}

bool is_vector(const HostTensor& tensor) {
    return tensor.shape.size() == 1;
}

/// The modules that are norms.
std::vector<std::string> norms_of(const HostTensors& tensors) {
    std::vector<std::string> norms;
    const auto module_of = [](const std::string& name, const std::string& tensor) {
        return name.substr(0, name.size() - tensor.size());
    };
    for (const auto& [name, tensor] : tensors) {
        if (name.starts_with("training/")) continue;
        for (const std::string last : {".running_mean", ".weight"})
            if (name.ends_with(last) && (last != ".weight" || is_vector(tensor)))
                norms.push_back(module_of(name, last));
    }
    std::ranges::sort(norms);
    norms.erase(std::unique(norms.begin(), norms.end()), norms.end());
    return norms;
}

/// Those of a tensor that may be absent.
std::vector<float> values_of(const HostTensors& tensors, const std::string& name, size_t count,
                             const std::string& file) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) return {};
    const HostTensor& tensor = found->second;
    const bool floating = tensor.dtype == Dtype::f64 || tensor.dtype == Dtype::f32 ||
                          tensor.dtype == Dtype::f16 || tensor.dtype == Dtype::bf16;
    if (!floating || !is_vector(tensor) || (count > 0 && tensor.shape[0] != count))
        refuse(file, name, tensor,
               "a vector of floating point numbers" + (count > 0 ? ", " + std::to_string(count) : ""));
    return tensor.floats();
}

Norm read_norm(const HostTensors& tensors, const std::string& name, const std::string& file) {
    Norm norm;
    size_t count = 0;
    for (const auto& [tensor, values] :
         {std::pair(".running_mean", &norm.mean), std::pair(".running_var", &norm.variance),
          std::pair(".weight", &norm.gamma), std::pair(".bias", &norm.beta)}) {
        *values = values_of(tensors, name + tensor, count, file);
        count = std::max(count, values->size());
    }
    if (norm.mean.empty() != norm.variance.empty())
        throw FormatError(file + ": " + name + ": got one of running_mean and running_var, needs both");
    return norm;
}

std::optional<int64_t> batches_of(const HostTensors& tensors, const std::string& name,
                                  const std::string& file) {
    const std::string counter = name + ".num_batches_tracked";
    const auto found = tensors.find(counter);
    if (found == tensors.end()) return std::nullopt;
    if (found->second.dtype != Dtype::i64 || element_count(found->second.shape) != 1)
        refuse(file, counter, found->second, "an I64 scalar");
    return found->second.integers().at(0);
}

Extent extent_of(const std::vector<float>& values) {
    const auto [least, greatest] = std::ranges::minmax(values);
    return {least, greatest};
}

/// Looks at one layer and notes what it finds.
class Examination {
  public:
    Examination(const Norm& norm, InspectedNorm& report) : norm_(norm), report_(report) {}

    void examine() {
        const auto at = [](const std::vector<float>& values, size_t i, double absent) {
            return values.empty() ? absent : double{values[i]};
        };
        note("not finite", "NaN or an infinity: so is what the channel gives", [&](size_t i) {
            return !std::isfinite(at(norm_.gamma, i, 1) + at(norm_.beta, i, 0) + at(norm_.mean, i, 0) +
                                  at(norm_.variance, i, 1));
        });
        if (!norm_.gamma.empty())
            note("dead channels", "gamma and beta are 0: nothing comes through", [&](size_t i) {
                return std::abs(at(norm_.gamma, i, 1)) < dead && std::abs(at(norm_.beta, i, 0)) < dead;
            });
        if (norm_.variance.empty()) return;
        note("negative variance", "its root is NaN", [&](size_t i) { return norm_.variance[i] < 0; });
        note("zero variance", "the channel was constant in training; epsilon alone scales what differs now",
             [&](size_t i) { return norm_.variance[i] >= 0 && norm_.variance[i] < zero_variance; });
        examine_scales();
        examine_updates();
        examine_convention();
    }

  private:
    void examine_scales() {
        std::vector<double> scales, sorted;
        for (size_t i = 0; i < norm_.variance.size(); ++i)
            scales.push_back(std::abs(norm_.gamma.empty() ? 1.0 : double{norm_.gamma[i]}) /
                             std::sqrt(norm_.variance[i] + inspected_epsilon));
        std::ranges::copy_if(scales, std::back_inserter(sorted), [](double s) { return std::isfinite(s); });
        if (sorted.empty()) return;
        std::ranges::sort(sorted);
        const double median = sorted[sorted.size() / 2];
        report_.largest_scale = sorted.back();
        note("exploding scale",
             "gamma / sqrt(variance + epsilon) up to " + number(sorted.back()) + ", the median is " +
                 number(median),
             [&](size_t i) {
                 return scales[i] > exploding ||
                        (scales[i] > exploding_beside && scales[i] > exploding_beside * median);
             });
    }

    void examine_updates() {
        const auto farthest = [](const std::vector<float>& values, float from) {
            double distance = 0;
            for (const float value : values) distance = std::max(distance, std::abs(double{value} - from));
            return distance;
        };
        const double moved = std::max(farthest(norm_.mean, 0), farthest(norm_.variance, 1));
        const std::string counted =
            report_.batches ? std::to_string(*report_.batches) + " batches counted" : "no batches counted";
        if (moved == 0) {
            note_layer("never updated",
                       "all means are 0 and variances 1, " + counted + ": inference does not normalize");
        } else if (report_.batches == 0) {
            note_layer("stale", "statistics that were set, " + counted +
                                    ": they came from elsewhere, and cumulative averages begin anew");
        } else if (report_.batches && *report_.batches < 0) {
            note_layer("stale", counted + ", which no run does");
        } else if (report_.batches) {
            const auto batches = static_cast<double>(*report_.batches);
            const double initial = std::pow(1 - inspected_momentum, batches);
            if (initial > initial_share)
                note_layer("too few batches", counted + ": the initial 0 and 1 are still " +
                                                  number(100 * initial) + " % of the statistics");
            else if (moved < hardly_moved && report_.channels > 1)
                note_layer("momentum", "hardly moved from 0 and 1 though " + counted +
                                           ": a momentum near 0, or one of the other convention");
        }
    }

    // Whether variances are biased or unbiased is in no file: the factor m / (m - 1) is near 1.
    void examine_convention() {
        for (const double epsilon : {1e-5, 1e-3})
            if (std::ranges::count_if(norm_.variance, [&](float variance) {
                    return std::abs(variance - epsilon) < 1e-6 * epsilon;
                }) > 1)
                note("variance convention",
                     "exactly " + number(epsilon) + " more than once: epsilon seems to be in it already",
                     [&](size_t i) { return std::abs(norm_.variance[i] - epsilon) < 1e-6 * epsilon; });
    }

    void note(const std::string& kind, const std::string& text, const std::function<bool(size_t)>& concerns) {
        Finding finding{kind, text};
        for (size_t i = 0; i < report_.channels; ++i)
            if (concerns(i)) finding.channels.push_back(i);
        if (!finding.channels.empty()) report_.findings.push_back(std::move(finding));
    }
    void note_layer(const std::string& kind, const std::string& text) {
        report_.findings.push_back({kind, text});
    }

    const Norm& norm_;
    InspectedNorm& report_;
};

/// "layer1.0.", "bn" and 2 of "layer1.0.bn2"; -1: without a number.
struct ModuleName {
    std::string parent, word;
    int64_t number = -1;

    explicit ModuleName(const std::string& module) {
        const size_t dot = module.rfind('.');
        parent = dot == std::string::npos ? "" : module.substr(0, dot + 1);
        word = module.substr(parent.size());
        const size_t digits = word.find_last_not_of("0123456789") + 1;
        constexpr size_t most_digits = 9;
        if (digits < word.size() && word.size() - digits <= most_digits)
            number = std::stoll(word.substr(digits));
        word.resize(digits);
    }
};

/// How likely the names make it that `layer` comes right before `norm`; 0: not at all.
int closeness(const ModuleName& layer, const ModuleName& norm) {
    if (layer.parent != norm.parent) return 0;
    if (layer.word.empty() && norm.word.empty()) return layer.number + 1 == norm.number ? 2 : 0;
    return layer.number == norm.number ? 2 : norm.number < 0 ? 1 : 0;
}

// Linear [C, K], Conv2d [C, K, height, width]: a scale for each row of the norm's channel.
void examine_folding(const HostTensors& tensors, const Norm& norm, InspectedNorm& report) {
    if (norm.variance.empty()) return;
    const ModuleName place(report.name);
    std::map<int, std::vector<std::string>> candidates;
    for (const auto& [name, tensor] : tensors)
        if (name.ends_with(".weight") && tensor.shape.size() >= 2 && tensor.shape[0] == report.channels &&
            (tensor.dtype == Dtype::f32 || tensor.dtype == Dtype::f16 || tensor.dtype == Dtype::bf16 ||
             tensor.dtype == Dtype::f64)) {
            const std::string layer = name.substr(0, name.size() - std::string(".weight").size());
            candidates[closeness(ModuleName(layer), place)].push_back(layer);
        }
    candidates.erase(0);
    if (candidates.empty() || candidates.rbegin()->second.size() != 1) return;
    report.folds_into = candidates.rbegin()->second.front();
    const std::vector<float> weight = tensors.at(report.folds_into + ".weight").floats();
    const size_t row = weight.size() / report.channels;
    for (size_t i = 0; i < weight.size(); ++i) {
        const size_t channel = i / row;
        const double scale = (norm.gamma.empty() ? 1.0 : double{norm.gamma[channel]}) /
                             std::sqrt(norm.variance[channel] + inspected_epsilon);
        report.largest_weight = std::max(report.largest_weight, std::abs(double{weight[i]}));
        if (std::isfinite(scale))
            report.largest_folded_weight =
                std::max(report.largest_folded_weight, std::abs(weight[i] * scale));
    }
    if (report.largest_folded_weight > largest_float16)
        report.findings.push_back({"folding", "weights of " + report.folds_into + " up to " +
                                                  number(report.largest_folded_weight) +
                                                  " afterwards: float16 does not hold them"});
}

}  // namespace

std::vector<InspectedNorm> inspect(const HostTensors& tensors, const std::string& file) {
    std::vector<InspectedNorm> reports;
    std::vector<Norm> norms;
    int64_t most_batches = 0;
    for (const std::string& name : norms_of(tensors)) {
        norms.push_back(read_norm(tensors, name, file));
        InspectedNorm& report = reports.emplace_back();
        report.name = name;
        report.channels = norms.back().channels();
        report.batches = batches_of(tensors, name, file);
        most_batches = std::max(most_batches, report.batches.value_or(0));
    }
    if (reports.empty())
        throw FormatError(file + ": got no norm, needs one: a running_mean or a weight of one dimension");
    for (size_t i = 0; i < reports.size(); ++i) {
        InspectedNorm& report = reports[i];
        if (!norms[i].mean.empty()) {
            report.mean = extent_of(norms[i].mean);
            report.variance = extent_of(norms[i].variance);
        }
        Examination(norms[i], report).examine();
        examine_folding(tensors, norms[i], report);
        const int64_t batches = report.batches.value_or(0);
        if (batches > 0 && static_cast<double>(batches) < stale * static_cast<double>(most_batches))
            report.findings.push_back({"stale", std::to_string(batches) + " batches counted, and " +
                                                    std::to_string(most_batches) + " by another layer"});
    }
    return reports;
}

}  // namespace vknorm::check
