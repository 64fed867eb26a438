#include "bench/findings.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace vknorm::bench {

void append(std::string& text, const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    char* addition = nullptr;
    const int length = vasprintf(&addition, format, arguments);
    va_end(arguments);
    if (length < 0) throw std::bad_alloc();
    text.append(addition, static_cast<size_t>(length));
    std::free(addition);
}

void write_json(const JsonFile& file, const nlohmann::json& document) {
    write_file(file.name, document.dump(2) + "\n", file.existing);
}

void write_json(const JsonFile& file, const DeviceInfo& device, const std::string& mode,
                const Findings& findings) {
    nlohmann::json document{
        {"device", device.name}, {"driver", device.driver}, {"mode", mode}, {"rows", findings.rows}};
    if (!findings.contention.empty()) document["contended"] = true;
    write_json(file, document);
}

}  // namespace vknorm::bench
