// A safetensors file is refused, or says the same once it is written and read again.
#include <vknorm/file.hpp>
#include <vknorm/safetensors.hpp>

#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace vknorm;
    Safetensors content;
    try {
        content = parse_safetensors(std::as_bytes(std::span(data, size)), "fuzz");
    } catch (const FormatError&) {
        return 0;
    }
    const Safetensors again = parse_safetensors(safetensors_bytes(content), "again");
    testing::require(again.metadata == content.metadata, "other metadata");
    testing::require(again.tensors.size() == content.tensors.size(), "another number of tensors");
    for (const auto& [name, tensor] : content.tensors) {
        const auto found = again.tensors.find(name);
        testing::require(found != again.tensors.end(), "a tensor is gone");
        testing::require(found->second.dtype == tensor.dtype && found->second.shape == tensor.shape &&
                             found->second.bytes == tensor.bytes,
                         "another tensor");
    }
    return 0;
}
