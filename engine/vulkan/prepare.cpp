#include <vknorm/prepare.hpp>

#include "vulkan/transaction.hpp"

namespace vknorm {

void prepare(Device& device, const std::function<void(Recorder&)>& record) {
    Stream stream(device);
    Recorder& recorder = stream.record();
    detail::Transaction transaction(recorder);
    transaction.drop();
    record(recorder);
}

}  // namespace vknorm
