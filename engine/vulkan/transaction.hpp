// What an operation records is recorded whole or not at all.
#pragma once

#include <cstddef>

#include <vknorm/stream.hpp>

namespace vknorm::detail {

/// What is recorded while a Transaction lives reaches the command buffer when the outermost one ends. Where
/// an exception ends it, all that was recorded since its beginning is dropped: pipelines stay compiled, and
/// nothing else is left. Nothing else may record into that command buffer meanwhile, nor submit it.
class Transaction {
  public:
    /// Throws std::invalid_argument when nothing can be recorded, and Error when the device was lost.
    explicit Transaction(const Recorder& recorder);
    ~Transaction();
    Transaction(const Transaction&) = delete;

    /// It will end as if by an exception.
    void drop() { dropped_ = true; }

  private:
    RecorderState& recorder_;
    const size_t first_command_, first_set_, first_texels_, first_kept_, first_stretch_;
    const int exceptions_;
    bool dropped_ = false;
};

}  // namespace vknorm::detail
