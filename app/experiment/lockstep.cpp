#include "app/experiment/lockstep.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "app/experiment/divergence.hpp"
#include "app/experiment/evaluation_schedule.hpp"
#include "app/experiment/lint.hpp"

namespace lab {

namespace {

/// The settings, if all are in range; so that the networks, which come later, find nothing to refuse
/// half-way.
const Settings& checked(const Settings& settings) {
    if (const auto misfit = find_misfit(settings))
        throw std::invalid_argument(name_of(*misfit->field, misfit->twin) + ": " + misfit->why);
    return settings;
}

/// The settings, all in range, with a batch that `data` has the examples for.
Settings fitted(Settings settings, const RunData& data) {
    checked(settings);
    const size_t examples = data.train->size();
    settings.accumulate = static_cast<uint32_t>(std::min<size_t>(settings.accumulate, examples));
    settings.batch = static_cast<uint32_t>(std::min<size_t>(settings.batch, examples / settings.accumulate));
    return checked(settings);
}

// What a checkpoint says of the run.
constexpr const char* place_prefix = "training/lab/";

std::string all_diverged(size_t twins) {
    return twins == 1 ? "The twin has diverged"
                      : std::string(twins == 2 ? "Both" : "All") + " twins have diverged";
}

}  // namespace

Trainer::Trainer(vknorm::Device& device, const Settings& settings, const RunData& data,
                 vknorm::Exchange* exchange)
    : data_(data),
      inputs_(moved(data, settings)),
      settings_(fitted(settings, data)),
      batch_note_(lab::batch_note(settings.batch, settings_.batch)),
      has_timestamps_(device.capabilities().timestamp_period_ns > 0),
      grid_(PlaneGrid::over(*inputs_.train)),
      order_(*data.train, settings_) {
    for (size_t i = 0; i < settings.twins.size() && exchange != nullptr; ++i)
        if (settings.twins[i].devices > 1)
            throw std::invalid_argument(
                std::string("Devices of twin ") + twin_letter(i) + ": " +
                Unfit(std::to_string(settings.twins[i].devices), "1 among ranks").what());
    twins_.reserve(settings.twins.size());
    for (size_t i = 0; i < settings.twins.size(); ++i)
        twins_.emplace_back(device, settings_, i, *data.train, exchange);
}

void Trainer::apply(const Settings& asked) {
    const Settings settings = fitted(asked, data_);
    batch_note_ = lab::batch_note(asked.batch, settings.batch);
    if (settings.batch != settings_.batch) {
        Batches order(*data_.train, settings);
        earlier_epochs_ += order_.epoch();
        order_ = std::move(order);
    }
    const Settings previous = std::exchange(settings_, settings);
    if (step_ > 0) log_.add_changes(previous, settings, step_ + 1);
    if (settings.input_scale != previous.input_scale || settings.input_shift != previous.input_shift) {
        inputs_ = moved(data_, settings);
        grid_ = PlaneGrid::over(*inputs_.train);
        evaluated_at_.reset();
    }
    for (Twin& twin : twins_) twin.apply(settings, previous);
    looked_ = false;
}

void Trainer::refuse_step() const {
    if (ended())
        throw std::invalid_argument(all_diverged(twins_.size()) +
                                    ": begin again, with a smaller learning rate");
    // A network would refuse it too, but maybe only one of them: the twins would part.
    for (size_t i = 0; i < twins_.size(); ++i)
        if (const std::string refused = lone_example(settings_, i); !refused.empty())
            throw std::invalid_argument(std::string("Twin ") + twin_letter(i) + ": " + refused +
                                        ": take another batch size, or train with running statistics");
}

void Trainer::step() {
    try {
        refuse_step();
    } catch (const std::invalid_argument& refused) {
        note({step_ + 1, EventKind::refused, std::string("Step refused: ") + refused.what()});
        throw;
    }

    if (step_ == 0 && EvaluationSchedule(settings_).due(step_)) evaluate();
    latest_ = order_.next();
    const vknorm::Dataset batch = vknorm::pick(*inputs_.train, latest_);
    for (Twin& twin : twins_) twin.submit(batch.inputs, batch.labels);
    ++step_;
    looked_ = false;

    for (size_t i = 0; i < twins_.size(); ++i) {
        if (twins_[i].diverged()) continue;
        twins_[i].collect(step_);
        if (const auto& divergence = twins_[i].divergence())
            note({step_, EventKind::diverged, twin_letter(i) + (" diverged: " + divergence->found)});
    }
    if (settings_.landscape && step_ % settings_.landscape_every == 0)
        for (Twin& twin : twins_) twin.measure_landscape(step_, batch.inputs, batch.labels);
    if (EvaluationSchedule(settings_).due(step_)) evaluate();
}

size_t Trainer::diverged() const {
    return static_cast<size_t>(
        std::count_if(twins_.begin(), twins_.end(), [](const Twin& twin) { return twin.diverged(); }));
}

void Trainer::evaluate() {
    if (std::exchange(evaluated_at_, step_) == step_) return;
    for (Twin& twin : twins_) twin.evaluate(step_, *inputs_.test);
}

void Trainer::look() {
    if (std::exchange(looked_, true)) return;
    for (Twin& twin : twins_) twin.look(*inputs_.test, grid_);
}

void Trainer::recompute_running_statistics() {
    for (Twin& twin : twins_) twin.recompute_running_statistics(*inputs_.train);
    evaluated_at_.reset();
    looked_ = false;
}

double Trainer::test_accuracy(size_t twin, vknorm::Statistics statistics, uint32_t batch) {
    return twins_.at(twin).test_accuracy(*inputs_.test, statistics, batch);
}

LookAhead Trainer::look_ahead(size_t twin, std::span<const double> rates) {
    const vknorm::Dataset batch = vknorm::pick(*inputs_.train, latest_);
    return twins_.at(twin).look_ahead(batch.inputs, batch.labels, rates);
}

std::map<std::string, int64_t> Trainer::place() const {
    return {{"step", static_cast<int64_t>(step_)},
            {"batches", static_cast<int64_t>(order_.taken())},
            {"batch", settings_.batch},
            {"examples", static_cast<int64_t>(data_.train->size())},
            {"seed", static_cast<int64_t>(settings_.seed)}};
}

void Trainer::save(const std::filesystem::path& file) {
    vknorm::HostTensors beside;
    for (const auto& [name, value] : place())
        beside[place_prefix + name] = vknorm::HostTensor({}, std::span(&value, 1));
    twins_[0].save(file, std::move(beside));
}

void Trainer::load(const std::filesystem::path& file) {
    const vknorm::HostTensors beside = twins_[0].load(file);
    if (!beside.contains(place_prefix + std::string("step"))) return;  // no run, but weights
    std::map<std::string, int64_t> found = place();
    for (auto& [name, value] : found) {
        const auto tensor = beside.find(place_prefix + name);
        if (tensor == beside.end() || tensor->second.dtype != vknorm::Dtype::i64 ||
            !tensor->second.shape.empty())
            throw vknorm::FormatError(file.string() + ": " + place_prefix + name +
                                      ": got none that is an integer, needs one");
        value = tensor->second.integers().at(0);
    }
    for (const char* const name : {"batch", "examples", "seed"})
        if (const int64_t mine = place().at(name); found.at(name) != mine)
            throw std::invalid_argument(file.string() + ": got a run of " + name + " " +
                                        std::to_string(found.at(name)) + ", needs " + std::to_string(mine) +
                                        " to go on");
    step_ = static_cast<uint64_t>(found.at("step"));
    order_.seek(static_cast<uint64_t>(found.at("batches")));
}

void Trainer::describe(Snapshot& snapshot) const {
    snapshot.settings = settings_;
    snapshot.step = step_;
    snapshot.epoch = earlier_epochs_ + order_.epoch();
    snapshot.has_timestamps = has_timestamps_;
    snapshot.parameters = twins_[0].parameters();
    snapshot.train = inputs_.train;
    snapshot.test = inputs_.test;
    snapshot.origin = data_.origin;
    snapshot.batch_note = batch_note_;
    snapshot.events = log_.events();
    snapshot.twins.clear();
    for (const Twin& twin : twins_) snapshot.twins.push_back(twin.view());
    snapshot.severity = Severity::warning;
    snapshot.message = lint(snapshot);
    if (diverged() == 0) return;
    snapshot.severity = Severity::error;
    snapshot.message = divergence_message(snapshot);
}

}  // namespace lab
