#include "nn/trainer.hpp"

#include <algorithm>

#include "ops/arguments.hpp"
#include "ops/divergence.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {
constexpr size_t steps_in_flight = 4;
}

Trainer::Trainer(Device& device, const NetworkOptions& options, Model& model, Stream& stream)
    : device_(device), model_(model), stream_(stream), inputs_(options.inputs) {
    const VkDeviceSize parameter_bytes = 4 * model.layout().parameters.count;
    first_moment_ = Buffer(device, parameter_bytes, "first moment");
    second_moment_ = Buffer(device, parameter_bytes, "second moment");
    health_ = Buffer(device, 4 * VkDeviceSize{divergence_words(model.health_layers())}, "health");
    summary_scratch_ = Buffer(device, step_summary_scratch_bytes(), "summary scratch");
    batch_ = Buffer(device, BatchLayout(options.max_batch, inputs_).bytes, "batch");
    results_ = Buffer(device, sizeof(RowLoss) * options.max_batch, "row results");
    for (size_t i = 0; i < steps_in_flight; ++i)
        slots_.emplace_back(device, model, inputs_, options.max_batch);
}

void Trainer::initialize() {
    stream_.upload(health_, no_divergence(model_.health_layers()));
    reset_optimizer();
}

void Trainer::reset_optimizer() {
    fill(stream_.record(), first_moment_, 0);
    fill(stream_.record(), second_moment_, 0);
    optimizer_steps_ = 0;
}

Ticket Trainer::step(std::span<const float> inputs, std::span<const uint32_t> labels,
                     const RenormLimits& renorm) {
    if (!diverged_.empty()) throw Diverged("network.train_step: refused: " + diverged_);
    const auto rows = static_cast<uint32_t>(labels.size());
    model_.prepare(rows, stream_);
    StepSlot& slot = slots_[steps_ % slots_.size()];
    stream_.wait(slot.ticket);
    slot.fill(steps_ + 1, inputs, labels);
    slot.place_probes(device_, model_, training.probes);
    record(slot, rows, renorm);
    slot.ticket = stream_.submit();
    ++steps_;
    ++optimizer_steps_;
    return slot.ticket;
}

void Trainer::record(StepSlot& slot, uint32_t rows, const RenormLimits& renorm) {
    Recorder& recorder = stream_.record();
    const BatchLayout batch(rows, inputs_);
    const auto& probes = training.probes;
    const bool keep_normalized = std::any_of(probes.begin(), probes.end(), [](const NetworkProbe& probe) {
        return probe.tensor == Tensor::normalized;
    });
    const Pass pass{.statistics = training.statistics,
                    .renorm = renorm,
                    .update_running = training.update_running,
                    .train_affine = training.train_affine,
                    .keep_normalized = keep_normalized,
                    .health = health_};
    {
        const Label label(recorder, "batch upload");
        slot.record_upload(recorder, batch_);
    }
    model_.forward(recorder, rows, batch.inputs(batch_), pass);
    model_.backward(recorder, rows, batch.inputs(batch_), batch.labels(batch_), results_, pass);

    const Store& store = model_.store();
    const Layout& layout = model_.layout();
    const Range trained = training.train_affine ? layout.parameters : layout.linear;
    {
        const Label label(recorder, "summary");
        step_summary(recorder, {.gradient = view_of(store.gradient, trained),
                                .losses = results_,
                                .rows = rows,
                                .running = view_of(store.working, layout.running),
                                .saved = training.statistics == Statistics::batch
                                             ? view_of(store.saved, layout.batch_norm)
                                             : BufferView{},
                                .layers = model_.health_layers(),
                                .divergence = health_,
                                .step = static_cast<uint32_t>(slot.step()),
                                .scratch = summary_scratch_,
                                .record = slot.record()});
    }
    {
        const Label label(recorder, "optimizer");
        optimizer_step(recorder, training.optimizer, optimizer_steps_ + 1,
                       {.parameters = view_of(store.parameters, trained),
                        .gradient = view_of(store.gradient, trained),
                        .first_moment = view_of(first_moment_, trained),
                        .second_moment = view_of(second_moment_, trained),
                        .diverged = health_.view(0, sizeof(uint32_t)),
                        .working = view_of(store.working, layout.running_words),
                        .committed = view_of(store.committed, layout.running_words)});
    }
    const Label label(recorder, "probes and readback");
    slot.record_readback(recorder, model_, training.statistics);
}

StepSlot& Trainer::slot_of(Ticket ticket) {
    const auto slot = std::find_if(slots_.begin(), slots_.end(), [ticket](const StepSlot& candidate) {
        return ticket != 0 && candidate.ticket == ticket;
    });
    if (slot == slots_.end())
        refuse("network.result", "ticket", std::to_string(ticket),
               "that of one of the " + std::to_string(slots_.size()) + " latest steps");
    return *slot;
}

StepResult Trainer::result(Ticket ticket) {
    const StepSlot& slot = slot_of(ticket);
    stream_.wait(ticket);
    if (!slot.report().diverged) return slot.result(model_);
    note_divergence(slot);
    throw Diverged("network.result: " + diverged_);
}

// The device knows the low bits of the step that diverged; it is one of the latest.
void Trainer::note_divergence(const StepSlot& slot) {
    const StepReport report = slot.report();
    if (!report.diverged || !diverged_.empty()) return;
    const uint64_t step = slot.step() - (static_cast<uint32_t>(slot.step()) - report.diverged_step);
    diverged_ = "step " + std::to_string(step);
    const auto first = std::find_if(slots_.begin(), slots_.end(), [step](const StepSlot& candidate) {
        return candidate.ticket != 0 && candidate.step() == step;
    });
    diverged_ += first == slots_.end() ? " diverged" : ": " + first->diagnosis(model_);
    // Steps from that one on did not happen.
    optimizer_steps_ -= std::min(optimizer_steps_, steps_ - (step - 1));
}

void Trainer::recover() {
    if (steps_ > 0 && diverged_.empty()) {
        const StepSlot& latest = slots_[(steps_ - 1) % slots_.size()];
        stream_.wait(latest.ticket);
        note_divergence(latest);
    }
    if (diverged_.empty()) return;
    stream_.upload(health_, no_divergence(model_.health_layers()));
    diverged_.clear();
}

}  // namespace vknorm::detail
