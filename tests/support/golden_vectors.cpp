#include "support/golden_vectors.hpp"

#include <filesystem>

#include "check/request.hpp"
#include "support/places.hpp"

namespace vknorm::check {

namespace {

/// Those whose names begin with `prefix` and have no further slash, without the prefix.
HostTensors tensors_of(const HostTensors& all, const std::string& prefix) {
    HostTensors result;
    for (auto entry = all.lower_bound(prefix); entry != all.end() && entry->first.starts_with(prefix);
         ++entry) {
        const std::string name = entry->first.substr(prefix.size());
        if (name.find('/') == std::string::npos) result[name] = entry->second;
    }
    return result;
}

}  // namespace

std::vector<GoldenVector> golden_vectors() {
    std::vector<GoldenVector> vectors;
    for (const auto& file : std::filesystem::directory_iterator(testing::project_file("tests/golden"))) {
        if (file.path().extension() != ".safetensors") continue;
        const Safetensors content = read_safetensors(file.path());
        for (const auto& [name, line] : content.metadata) {
            const HostTensors inputs = tensors_of(content.tensors, name.substr(0, name.rfind('/') + 1));
            vectors.push_back({name, call_with(parse_request(line), inputs, name),
                               tensors_of(content.tensors, name + "/")});
        }
    }
    return vectors;
}

}  // namespace vknorm::check
