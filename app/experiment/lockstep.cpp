#include "app/experiment/lockstep.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "app/experiment/lint.hpp"

namespace lab {

namespace {

template <class T>
void require(const char* name, T value, T low, T high) {
    if (value >= low && value <= high) return;  // false for NaN
    std::ostringstream message;
    message << name << ": got " << value << ", needs " << low << " to " << high;
    throw std::invalid_argument(message.str());
}

/// The settings, if all are in range; so that the networks, which come later, find nothing to refuse
/// half-way.
const Settings& checked(const Settings& s) {
    require<size_t>("twins", s.twins.size(), 1, limits::max_twins);
    require<size_t>("hidden layers", s.hidden.size(), 1, limits::max_layers);
    for (const uint32_t units : s.hidden) require<uint32_t>("units", units, 1, limits::max_units);
    require<uint32_t>("batch", s.batch, 1, limits::max_batch);
    require<float>("learning rate", s.learning_rate, limits::min_learning_rate, limits::max_learning_rate);
    require<float>("momentum", s.momentum, 0, limits::max_momentum);
    require<float>("weight decay", s.weight_decay, 0, 1);
    require<float>("norm momentum", s.norm_momentum, 0, 1);
    require<float>("epsilon", s.epsilon, 0, 1);
    for (size_t twin = 0; twin < s.twins.size(); ++twin) {
        const TwinSettings& its = s.twins[twin];
        require<uint32_t>("ghost size", its.ghost_size, limits::min_ghost, limits::max_ghost);
        const uint32_t most = most_groups(s, twin);
        if (most > 0 && (its.groups == 0 || most % its.groups != 0))
            throw std::invalid_argument("groups: got " + std::to_string(its.groups) +
                                        ", needs a divisor of " + std::to_string(most) +
                                        ", as units have it in layers with GroupNorm");
        if (s.epsilon == 0 && has_norm(s, twin, vknorm::Norm::batch_renorm))
            throw std::invalid_argument("epsilon: got 0, needs more with BatchRenorm");
    }
    return s;
}

std::string all_diverged(size_t twins) {
    return twins == 1 ? "The twin has diverged"
                      : std::string(twins == 2 ? "Both" : "All") + " twins have diverged";
}

}  // namespace

Trainer::Trainer(vknorm::Device& device, const Settings& settings, const RunData& data)
    : settings_(checked(settings)),
      data_(data),
      has_timestamps_(device.capabilities().timestamp_period_ns > 0),
      grid_(PlaneGrid::over(*data.train)),
      order_(data.train->size(), settings.batch, settings.seed) {
    twins_.reserve(settings.twins.size());
    for (size_t i = 0; i < settings.twins.size(); ++i) twins_.emplace_back(device, settings, i, *data.train);
}

void Trainer::apply(const Settings& settings) {
    checked(settings);
    if (settings.batch != settings_.batch) {
        vknorm::BatchOrder order(data_.train->size(), settings.batch, settings.seed);
        earlier_epochs_ += order_.epoch();
        order_ = std::move(order);
    }
    const Settings previous = std::exchange(settings_, settings);
    for (Twin& twin : twins_) twin.apply(settings, previous);
    looked_ = false;
}

void Trainer::step() {
    if (ended())
        throw std::invalid_argument(all_diverged(twins_.size()) +
                                    ": begin again, with a smaller learning rate");
    // A network would refuse it too, but maybe only one of them: the twins would part.
    for (size_t i = 0; i < twins_.size(); ++i)
        if (const std::string refused = lone_example(settings_, i); !refused.empty())
            throw std::invalid_argument(std::string("Twin ") + twin_letter(i) + ": " + refused +
                                        ": take another batch size, or train with running statistics");

    const vknorm::Dataset batch = vknorm::pick(*data_.train, order_.next());
    for (Twin& twin : twins_) twin.submit(batch.inputs, batch.labels);
    ++step_;
    looked_ = false;

    std::string trouble;
    for (size_t i = 0; i < twins_.size(); ++i) {
        try {
            twins_[i].collect(step_);
        } catch (const vknorm::Diverged& diverged) {
            trouble += (trouble.empty() ? std::string("Twin ") : "; twin ") + twin_letter(i) + ": " +
                       diverged.what();
        }
    }
    if (!trouble.empty()) throw vknorm::Diverged(trouble);
}

bool Trainer::ended() const {
    return std::all_of(twins_.begin(), twins_.end(), [](const Twin& twin) { return twin.diverged(); });
}

std::string Trainer::diverged_twins() const {
    std::string letters;
    for (size_t i = 0; i < twins_.size(); ++i)
        if (twins_[i].diverged())
            letters += (letters.empty() ? "" : " and ") + std::string(1, twin_letter(i));
    return letters;
}

void Trainer::evaluate() {
    if (std::exchange(evaluated_at_, step_) == step_) return;
    for (Twin& twin : twins_) twin.evaluate(step_, *data_.test, settings_.batch);
}

void Trainer::look() {
    if (std::exchange(looked_, true)) return;
    for (Twin& twin : twins_) twin.look(*data_.test, grid_);
}

void Trainer::describe(Snapshot& snapshot) const {
    snapshot.settings = settings_;
    snapshot.step = step_;
    snapshot.epoch = earlier_epochs_ + order_.epoch();
    snapshot.has_timestamps = has_timestamps_;
    snapshot.parameters = twins_[0].parameters();
    snapshot.train = data_.train;
    snapshot.test = data_.test;
    snapshot.twins.clear();
    for (const Twin& twin : twins_) snapshot.twins.push_back(twin.view());
    snapshot.severity = Severity::warning;
    snapshot.message = lint(snapshot);
    if (ended())
        snapshot.message = all_diverged(twins_.size()) + "; a reset begins again";
    else if (const std::string letters = diverged_twins(); letters.size() == 1)
        snapshot.message = "Twin " + letters + " has diverged and sits out; a reset brings it back";
    else if (!letters.empty())
        snapshot.message = "Twins " + letters + " have diverged and sit out; a reset brings them back";
}

}  // namespace lab
