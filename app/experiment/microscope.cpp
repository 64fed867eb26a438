#include "app/experiment/microscope.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace lab {

namespace {

using vknorm::Norm;

/// Every place in a row has parameters of its own.
bool has_parameters_per_place(Norm kind) {
    return kind == Norm::layer || kind == Norm::rms;
}

uint32_t set_of(const Specimen& s, bool running, size_t element) {
    const uint32_t row = s.row_of(element), channel = s.channel_of(element);
    if (running) return channel;
    switch (s.kind) {
        case Norm::none:
        case Norm::batch:
        case Norm::batch_renorm:
            return channel;
        case Norm::ghost:
            return row / s.ghost_size * s.channels + channel;
        case Norm::layer:
        case Norm::rms:
            return row;
        case Norm::group:
            return row * s.groups + channel / (s.channels / s.groups);
        case Norm::instance:
            return row * s.channels + channel;
    }
    throw std::logic_error("set_of: not a norm");
}

/// Of the values given by `value`, which are those of one set.
struct Moments {
    double mean = 0, variance = 0;
};
template <class Value>
Moments moments_of(const std::vector<size_t>& values, bool about_zero, Value value) {
    const auto m = static_cast<double>(values.size());
    Moments moments;
    for (const size_t i : values) moments.mean += about_zero ? 0 : value(i) / m;
    for (const size_t i : values) {
        const double apart = value(i) - moments.mean;
        moments.variance += apart * apart / m;
    }
    return moments;
}

double inverse_deviation(double variance, double epsilon) {
    const double sum = variance + epsilon;
    return sum == 0 ? 0 : 1 / std::sqrt(sum);
}

std::vector<std::vector<size_t>> sets_of(const Examination& exact) {
    std::vector<std::vector<size_t>> sets(exact.mean.size());
    for (size_t i = 0; i < exact.set.size(); ++i) sets[exact.set[i]].push_back(i);
    return sets;
}

void find_statistics(const Specimen& s, Examination& exact) {
    const bool running = by_running(s, exact.mode), about_zero = s.kind == Norm::rms;
    const std::vector<std::vector<size_t>> sets = sets_of(exact);
    for (size_t set = 0; set < sets.size(); ++set) {
        const Moments moments =
            running ? Moments{s.device.running_mean[set], s.device.running_variance[set]}
                    : moments_of(sets[set], about_zero, [&](size_t i) { return double{s.device.x[i]}; });
        exact.mean[set] = moments.mean;
        exact.variance[set] = moments.variance;
        exact.inv_std[set] = inverse_deviation(moments.variance, double{s.epsilon});
        exact.count[set] = static_cast<uint32_t>(sets[set].size());
        if (s.kind != Norm::batch_renorm || running) continue;
        const double moving = std::sqrt(double{s.device.running_variance[set]} + double{s.epsilon}),
                     deviation = std::sqrt(moments.variance + double{s.epsilon});
        const double r_max = s.limits.r_max, d_max = s.limits.d_max;
        exact.r[set] = std::clamp(deviation / moving, 1 / r_max, r_max);
        exact.d[set] =
            std::clamp((moments.mean - double{s.device.running_mean[set]}) / moving, -d_max, d_max);
    }
}

void go_forward(const Specimen& s, Examination& exact) {
    for (size_t i = 0; i < exact.set.size(); ++i) {
        const uint32_t set = exact.set[i];
        exact.centred[i] = double{s.device.x[i]} - exact.mean[set];
        exact.normalized[i] = exact.centred[i] * exact.inv_std[set];
        exact.y[i] = gamma_of(s, i) * (exact.r[set] * exact.normalized[i] + exact.d[set]) + beta_of(s, i);
        exact.activated[i] = activated(activation_behind(s), exact.y[i]);
    }
}

void go_back(const Specimen& s, Examination& exact) {
    const bool constant = by_running(s, exact.mode);
    std::vector<double> sum(exact.mean.size()), sum_along(exact.mean.size());
    for (size_t i = 0; i < exact.set.size(); ++i) {
        const uint32_t set = exact.set[i];
        const double dy = s.device.dy[i];
        exact.dnormalized[i] = dy * gamma_of(s, i) * exact.r[set];
        sum[set] += exact.dnormalized[i] / exact.count[set];
        sum_along[set] += exact.dnormalized[i] * exact.normalized[i] / exact.count[set];
        const size_t parameter = parameter_of(s, i);
        exact.dgamma[parameter] += dy * (exact.r[set] * exact.normalized[i] + exact.d[set]);
        exact.dbeta[parameter] += dy;
    }
    for (size_t i = 0; i < exact.set.size(); ++i) {
        const uint32_t set = exact.set[i];
        exact.own[i] = exact.inv_std[set] * exact.dnormalized[i];
        if (!constant && s.kind != Norm::rms) exact.from_mean[i] = -exact.inv_std[set] * sum[set];
        if (!constant) exact.from_variance[i] = -exact.inv_std[set] * exact.normalized[i] * sum_along[set];
        exact.dx[i] = exact.own[i] + exact.from_mean[i] + exact.from_variance[i];
    }
}

}  // namespace

const char* name(NormMode mode) {
    switch (mode) {
        case NormMode::train:
            return "train";
        case NormMode::eval:
            return "eval";
        case NormMode::frozen:
            return "frozen";
    }
    return "";
}

bool by_running(const Specimen& specimen, NormMode mode) {
    return mode != NormMode::train && vknorm::keeps_running_statistics(specimen.kind);
}

bool was_made(const Specimen& specimen, NormMode mode) {
    return !vknorm::keeps_running_statistics(specimen.kind) ||
           by_running(specimen, mode) == (specimen.statistics == vknorm::Statistics::running);
}

std::vector<size_t> Examination::values_of(uint32_t wanted) const {
    std::vector<size_t> values;
    for (size_t i = 0; i < set.size(); ++i)
        if (set[i] == wanted) values.push_back(i);
    return values;
}

size_t parameter_of(const Specimen& s, size_t element) {
    return has_parameters_per_place(s.kind) ? element % (size_t{s.channels} * s.positions)
                                            : s.channel_of(element);
}

double gamma_of(const Specimen& s, size_t element) {
    return s.device.gamma.empty() ? 1 : double{s.device.gamma[parameter_of(s, element)]};
}

double beta_of(const Specimen& s, size_t element) {
    return s.device.beta.empty() ? 0 : double{s.device.beta[parameter_of(s, element)]};
}

vknorm::Activation activation_behind(const Specimen& s) {
    return s.order == vknorm::NormOrder::before_activation ? s.activation : vknorm::Activation::identity;
}

double activated(vknorm::Activation activation, double y) {
    switch (activation) {
        case vknorm::Activation::identity:
            return y;
        case vknorm::Activation::relu:
            return y < 0 ? 0 : y;
        case vknorm::Activation::tanh:
            return std::tanh(y);
        case vknorm::Activation::sigmoid:
            return 1 / (1 + std::exp(-y));
    }
    throw std::logic_error("activated: not an activation");
}

Examination examine(const Specimen& s, NormMode mode) {
    Examination exact;
    exact.mode = mode;
    const size_t elements = s.elements();
    const bool running = by_running(s, mode);
    uint32_t sets = 0;
    exact.set.resize(elements);
    for (size_t i = 0; i < elements; ++i) {
        exact.set[i] = set_of(s, running, i);
        sets = std::max(sets, exact.set[i] + 1);
    }
    for (auto* const of_sets : {&exact.mean, &exact.variance, &exact.inv_std, &exact.d})
        of_sets->resize(sets);
    exact.r.assign(sets, 1);
    exact.count.resize(sets);
    for (auto* const of_values :
         {&exact.centred, &exact.normalized, &exact.y, &exact.activated, &exact.dnormalized, &exact.own,
          &exact.from_mean, &exact.from_variance, &exact.dx})
        of_values->resize(elements);
    const size_t parameters =
        has_parameters_per_place(s.kind) ? size_t{s.channels} * s.positions : s.channels;
    exact.dgamma.resize(parameters);
    exact.dbeta.resize(parameters);
    find_statistics(s, exact);
    go_forward(s, exact);
    if (!s.device.dy.empty()) go_back(s, exact);
    return exact;
}

double dx_by_difference(const Specimen& s, const Examination& exact, size_t element) {
    const uint32_t set = exact.set[element];
    const std::vector<size_t> values = exact.values_of(set);
    const bool constant = by_running(s, exact.mode);
    constexpr double part = 1e-4;  // of the deviation: small enough for the curve, large enough for float64
    const double step = part * std::sqrt(exact.variance[set] + double{s.epsilon});
    if (step == 0) return 0;
    const auto loss = [&](double change) {
        const auto z = [&](size_t i) { return double{s.device.x[i]} + (i == element ? change : 0); };
        Moments moments{exact.mean[set], exact.variance[set]};
        if (!constant) moments = moments_of(values, s.kind == Norm::rms, z);
        const double inv_std = inverse_deviation(moments.variance, double{s.epsilon});
        double sum = 0;
        for (const size_t i : values) {
            const double normalized = (z(i) - moments.mean) * inv_std;
            sum += double{s.device.dy[i]} *
                   (gamma_of(s, i) * (exact.r[set] * normalized + exact.d[set]) + beta_of(s, i));
        }
        return sum;
    };
    return (loss(step) - loss(-step)) / (2 * step);
}

namespace {

/// Of sum(dy * y) over the values that have that parameter, where `y` gives what becomes of one.
template <class Y>
double parameter_by_difference(const Specimen& s, const Examination& exact, size_t parameter, Y y) {
    constexpr double step = 1e-3;  // y is linear in both
    double sum = 0;
    for (size_t i = 0; i < exact.set.size(); ++i)
        if (parameter_of(s, i) == parameter) sum += double{s.device.dy[i]} * (y(i, step) - y(i, -step));
    return sum / (2 * step);
}

double scaled(const Examination& exact, size_t i) {
    return exact.r[exact.set[i]] * exact.normalized[i] + exact.d[exact.set[i]];
}

}  // namespace

double dgamma_by_difference(const Specimen& s, const Examination& exact, size_t parameter) {
    return parameter_by_difference(s, exact, parameter, [&](size_t i, double change) {
        return (gamma_of(s, i) + change) * scaled(exact, i) + beta_of(s, i);
    });
}

double dbeta_by_difference(const Specimen& s, const Examination& exact, size_t parameter) {
    return parameter_by_difference(s, exact, parameter, [&](size_t i, double change) {
        return gamma_of(s, i) * scaled(exact, i) + beta_of(s, i) + change;
    });
}

}  // namespace lab
