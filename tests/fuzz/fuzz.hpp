// What fuzz targets share. A target ends the program where a promise is broken, so that a fuzzer and a test
// see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace vknorm::testing {

inline std::string_view text_of(const uint8_t* data, size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool promise, const char* broken) {
    if (promise) return;
    std::fprintf(stderr, "%s\n", broken);
    std::abort();
}

}  // namespace vknorm::testing
