// What lies along the gradient: that it is what float64 finds there, and that looking changes nothing.
#include "app/experiment/landscape.hpp"

#include <algorithm>
#include <cmath>

#include "app/experiment/replicas.hpp"
#include "lab/small_trainer.hpp"
#include "reference/network_reference.hpp"

namespace {

using namespace lab;
using namespace lab::testing;
using vknorm::Norm;
namespace reference = vknorm::reference;

vknorm::NetworkOptions options_of(Norm norm) {
    // Without kinks, on which rounding could decide.
    const vknorm::HiddenLayer layer{.units = 10, .norm = norm, .activation = vknorm::Activation::tanh};
    return {.hidden = {layer, layer}, .max_batch = 24, .seed = 5};
}

Replicas one_network(const vknorm::NetworkOptions& options) {
    return {1, nullptr, [&](vknorm::Exchange*) { return vknorm::Network(test_device(), options); }};
}

double distance(const reference::Tensors& a, const reference::Tensors& b) {
    double squares = 0;
    for (const auto& [name, values] : a)
        for (size_t i = 0; i < values.size(); ++i) squares += std::pow(values[i] - b.at(name)[i], 2);
    return std::sqrt(squares);
}

TEST(Landscape, LossesAndGradientsAreThoseOfFloat64) {
    const vknorm::Dataset points = vknorm::make_2d(vknorm::Shape2D::spiral, 24, 0.1f, 3);
    const reference::Labelled batch{points.inputs, points.labels};
    const std::vector<double> rates = {0.05, 0.5, 3};
    for (const Norm norm : {Norm::batch, Norm::none}) {
        Replicas replicas = one_network(options_of(norm));
        reference::NetworkReference here(options_of(norm), reference::tensors_of(replicas.first()));
        const LookAhead ahead = look_ahead(replicas, points.inputs, points.labels, rates);
        const reference::Step first = here.measure(batch, {});
        EXPECT_NEAR(ahead.loss, first.loss, 1e-5);
        EXPECT_NEAR(ahead.gradient_norm, first.gradient_norm, 1e-4 * first.gradient_norm);
        ASSERT_EQ(ahead.losses.size(), rates.size());
        double smoothness = 0;
        for (size_t i = 0; i < rates.size(); ++i) {
            reference::NetworkReference there = here;
            for (const auto& [name, gradient] : first.gradient)
                for (size_t k = 0; k < gradient.size(); ++k) there.tensors[name][k] -= rates[i] * gradient[k];
            const reference::Step step = there.measure(batch, {});
            EXPECT_NEAR(ahead.losses[i], step.loss, 1e-4) << rates[i];
            const double change = distance(step.gradient, first.gradient);
            EXPECT_NEAR(ahead.changes[i], change, 1e-3 * change) << rates[i];
            smoothness = std::max(smoothness, change / (rates[i] * first.gradient_norm));
        }
        EXPECT_NEAR(ahead.smoothness(), smoothness, 1e-3 * smoothness);
    }
}

TEST(Landscape, WhereNothingIsFiniteNothingIsSaid) {
    const vknorm::Dataset points = vknorm::make_2d(vknorm::Shape2D::spiral, 24, 0.1f, 3);
    vknorm::NetworkOptions options = options_of(Norm::none);
    for (vknorm::HiddenLayer& layer : options.hidden) layer.activation = vknorm::Activation::identity;
    Replicas replicas = one_network(options);
    const vknorm::HostTensors before = replicas.first().state(false);
    const LookAhead ahead = look_ahead(replicas, points.inputs, points.labels, std::array{0.1, 1e30});
    EXPECT_TRUE(std::isfinite(ahead.losses[0]) && std::isfinite(ahead.changes[0]));
    EXPECT_TRUE(std::isnan(ahead.losses[1]) && std::isnan(ahead.changes[1]));
    for (const auto& [name, tensor] : before)
        EXPECT_EQ(replicas.first().state(false).at(name).bytes, tensor.bytes) << name;
}

TEST(Landscape, LookingChangesNoTwin) {
    Settings settings = small();
    settings.optimizer = OptimizerKind::adam;
    settings.learning_rate = 0.01f;
    settings.max_gradient_norm = 0.5f;
    Trainer plain = make_trainer(settings);
    settings.landscape = true;
    settings.landscape_every = 2;
    Trainer looking = make_trainer(settings);
    train(plain, 7);
    train(looking, 7);
    for (const size_t twin : {0u, 1u}) {
        expect_same_training(looking.twins()[twin].view(), plain.twins()[twin].view());
        for (const char* name : {"0.linear.weight", "1.linear.bias", "output.weight"})
            EXPECT_EQ(looking.tensor(twin, name), plain.tensor(twin, name));
    }
    EXPECT_EQ(looking.tensor(0, "1.norm.running_var"), plain.tensor(0, "1.norm.running_var"));
}

TEST(Landscape, IsLookedAtEverySoManyStepsFromHalfToFourLearningRates) {
    Settings settings = small();
    settings.landscape = true;
    settings.landscape_every = 3;
    Trainer trainer = make_trainer(settings);
    train(trainer, 7);
    TwinView view = trainer.twins()[0].view();
    ASSERT_EQ(view.landscape.size(), 2u);
    EXPECT_EQ(view.landscape[0].step, 3u);
    EXPECT_EQ(view.landscape.back().step, 6u);
    const LookAhead& ahead = view.ahead;
    EXPECT_NEAR(ahead.rates.front(), double{settings.learning_rate} / 2, 1e-7);
    EXPECT_NEAR(ahead.rates.back(), double{settings.learning_rate} * 4, 1e-7);
    const LandscapeRow& row = view.landscape.back().value;
    EXPECT_EQ(row.loss_low, static_cast<float>(*std::min_element(ahead.losses.begin(), ahead.losses.end())));
    EXPECT_EQ(row.loss_high, static_cast<float>(*std::max_element(ahead.losses.begin(), ahead.losses.end())));
    EXPECT_EQ(row.change_high,
              static_cast<float>(*std::max_element(ahead.changes.begin(), ahead.changes.end())));
    EXPECT_EQ(row.smoothness, static_cast<float>(ahead.smoothness()));

    settings.landscape = false;
    trainer.apply(settings);
    train(trainer, 5);
    settings.landscape = true;
    trainer.apply(settings);
    train(trainer, 3);
    view = trainer.twins()[0].view();
    ASSERT_EQ(view.landscape.size(), 4u);
    EXPECT_TRUE(std::isnan(view.landscape[2].value.loss_low)) << "a gap where none was looked at";
    EXPECT_EQ(view.landscape.back().step, 15u);
}

}  // namespace
