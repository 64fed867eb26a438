#include "vulkan/transaction.hpp"

#include <exception>

#include "vulkan/recorder_state.hpp"

namespace vknorm::detail {

Transaction::Transaction(const Recorder& recorder)
    : recorder_(recorder.state()),
      first_command_(recorder_.pending.size()),
      first_set_(recorder_.descriptors.used()),
      first_texels_(recorder_.texels.size()),
      first_kept_(recorder_.kept.size()),
      first_stretch_(recorder_.timestamps ? recorder_.timestamps->size() : 0),
      exceptions_(std::uncaught_exceptions()) {
    recorder_.require_recording();
    recorder_.vulkan().require_alive();
    ++recorder_.transactions;
}

Transaction::~Transaction() {
    --recorder_.transactions;
    if (dropped_ || std::uncaught_exceptions() > exceptions_) {
        // A barrier among the dropped commands may have been what later ones rely on.
        if (recorder_.pending.size() > first_command_) recorder_.hazards.forget();
        recorder_.pending.resize(first_command_);
        recorder_.descriptors.drop(first_set_);
        recorder_.texels.resize(first_texels_);
        for (size_t i = first_kept_; i < recorder_.kept.size(); ++i)
            recorder_.buffers.erase(recorder_.kept[i]);
        recorder_.kept.resize(first_kept_);
        if (recorder_.timestamps) recorder_.timestamps->resize(first_stretch_);
    }
    if (recorder_.transactions == 0) recorder_.write_pending();
}

}  // namespace vknorm::detail
