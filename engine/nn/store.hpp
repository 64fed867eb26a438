// The tensors that the layers of a network own, on the device.
#pragma once

#include <vknorm/buffer.hpp>

#include "nn/store_layout.hpp"

namespace vknorm::detail {

/// A range of elements of a flat buffer; absent when empty.
inline BufferView view_of(const Buffer& buffer, const Range& range) {
    if (range.count == 0) return {};
    return buffer.view(4 * range.first, 4 * range.count);
}

struct Store {
    StoreLayout layout;
    Buffer parameters, gradients;
    Buffer working,
        committed;   ///< running statistics: those that norms update, and those of the last sound step
    Buffer saved;    ///< what the norms save for backward
    Buffer scratch;  ///< of the norms

    // One tensor; absent when it is.
    BufferView parameter(const StoredTensor& tensor) const { return view(parameters, tensor); }
    BufferView gradient(const StoredTensor& tensor) const { return view(gradients, tensor); }
    BufferView updated(const StoredTensor& tensor) const { return view(working, tensor); }
    BufferView running(const StoredTensor& tensor) const { return view(committed, tensor); }
    BufferView kept(const StoredTensor& tensor) const { return view(saved, tensor); }

  private:
    BufferView view(const Buffer& buffer, const StoredTensor& tensor) const {
        return tensor ? view_of(buffer, layout.range(tensor)) : BufferView{};
    }
};

}  // namespace vknorm::detail
