#include "app/experiment/landscape.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "app/experiment/replicas.hpp"

namespace lab {

namespace {

using Parameters = std::map<std::string, std::vector<float>>;

bool is_parameter(const std::string& name) {
    return name.ends_with(".weight") || name.ends_with(".bias");
}

Parameters parameters_of(const vknorm::HostTensors& state) {
    Parameters parameters;
    for (const auto& [name, tensor] : state)
        if (!name.starts_with("training/") && is_parameter(name)) parameters[name] = tensor.floats();
    return parameters;
}

/// Steps from one place and back.
class Walker {
  public:
    Walker(Replicas& replicas, std::span<const float> inputs, std::span<const uint32_t> labels)
        : replicas_(replicas), inputs_(inputs), labels_(labels) {
        replicas_.each([](vknorm::Network& network) {
            network.set_optimizer(vknorm::Sgd{.learning_rate = rate});
            network.set_max_gradient_norm(0);
        });
        home_ = replicas_.first().state();
        parameters_ = parameters_of(home_);
    }

    struct Found {
        double loss;
        Parameters gradient;
    };
    /// Where `length` times the gradient `along` leads; none where a value is not finite there.
    std::optional<Found> at(double length, const Parameters& along) {
        vknorm::HostTensors place = home_;
        Parameters there = parameters_;
        for (const auto& [name, gradient] : along) {
            std::vector<float>& values = there[name];
            for (size_t i = 0; i < values.size(); ++i)
                values[i] -= static_cast<float>(length * double{gradient[i]});
            place[name] = vknorm::HostTensor(home_.at(name).shape, values);
        }
        set(place);
        try {
            replicas_.train_step(inputs_, labels_);
            const double loss = replicas_.result().loss;
            Parameters gradient = parameters_of(replicas_.first().state(false));
            for (auto& [name, values] : gradient)
                for (size_t i = 0; i < values.size(); ++i) values[i] = (there[name][i] - values[i]) / rate;
            return Found{loss, std::move(gradient)};
        } catch (const vknorm::Diverged&) {
            return std::nullopt;
        }
    }
    void go_home() { set(home_); }

  private:
    // A gradient is what a step of SGD took: the longer the step, the less of it rounding took away.
    static constexpr float rate = 0x1p20f;

    void set(const vknorm::HostTensors& state) {
        replicas_.each([&](vknorm::Network& network) { network.set_state(state); });
    }

    Replicas& replicas_;
    std::span<const float> inputs_;
    std::span<const uint32_t> labels_;
    vknorm::HostTensors home_;
    Parameters parameters_;
};

/// L2, over all parameters.
double distance(const Parameters& from, const Parameters* to) {
    double squares = 0;
    for (const auto& [name, values] : from)
        for (size_t i = 0; i < values.size(); ++i)
            squares += std::pow(double{values[i]} - (to ? double{to->at(name)[i]} : 0), 2);
    return std::sqrt(squares);
}

}  // namespace

double LookAhead::smoothness() const {
    double most = 0;
    for (size_t i = 0; i < changes.size(); ++i)
        most = std::fmax(most, changes[i] / (rates[i] * gradient_norm));
    return most;
}

LandscapeRow row_of(const LookAhead& ahead) {
    LandscapeRow row{.smoothness = static_cast<float>(ahead.smoothness())};
    for (size_t i = 0; i < ahead.rates.size(); ++i) {
        const auto loss = static_cast<float>(ahead.losses[i]), change = static_cast<float>(ahead.changes[i]);
        row.loss_low = std::fmin(row.loss_low, loss);
        row.loss_high = std::fmax(row.loss_high, loss);
        row.change_low = std::fmin(row.change_low, change);
        row.change_high = std::fmax(row.change_high, change);
    }
    return row;
}

LookAhead look_ahead(Replicas& replicas, std::span<const float> inputs, std::span<const uint32_t> labels,
                     std::span<const double> rates) {
    Walker walker(replicas, inputs, labels);
    LookAhead ahead;
    if (const auto here = walker.at(0, {})) {
        ahead.loss = here->loss;
        ahead.gradient_norm = distance(here->gradient, nullptr);
        for (const double length : rates) {
            const auto there = walker.at(length, here->gradient);
            constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
            ahead.rates.push_back(length);
            ahead.losses.push_back(there ? there->loss : nothing);
            ahead.changes.push_back(there ? distance(there->gradient, &here->gradient) : nothing);
        }
    }
    walker.go_home();
    return ahead;
}

}  // namespace lab
