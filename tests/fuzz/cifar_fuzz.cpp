// Any bytes as records of CIFAR-10 and CIFAR-100.
#include <cstddef>
#include <cstdint>
#include <span>

#include "consistent.hpp"
#include "data/cifar.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto file = std::as_bytes(std::span(data, size));
    for (const vknorm::detail::CifarLabels& labels :
         {vknorm::detail::CifarLabels{1, 0, 10}, {2, 1, 100}, {2, 0, 20}}) {
        try {
            vknorm::Dataset parsed;
            vknorm::detail::parse_cifar(file, "cifar", labels, parsed);
            vknorm::testing::require_consistent(parsed);
        } catch (const vknorm::FormatError&) {
        }
    }
    return 0;
}
