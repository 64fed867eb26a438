#include "vknorm/checkpoint.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "nn/network_state.hpp"
#include "ops/arguments.hpp"

namespace vknorm {

namespace {

using detail::is_beside_state_dict;
using detail::is_training_state;
using Names = std::map<std::string, std::string>;  // by what the file calls them

/// "layers.3.weight" as "layers.", 3 and "weight".
struct SequentialName {
    std::string prefix;
    uint64_t number;
    std::string tensor;
};
std::optional<SequentialName> sequential_name(const std::string& name) {
    constexpr size_t most_digits = 9;
    const size_t last = name.rfind('.');
    if (last == std::string::npos || last == 0) return std::nullopt;
    const size_t before = name.rfind('.', last - 1);
    const size_t first = before == std::string::npos ? 0 : before + 1;
    const std::string digits = name.substr(first, last - first);
    if (digits.empty() || digits.size() > most_digits ||
        digits.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
    return SequentialName{name.substr(0, first), std::stoull(digits), name.substr(last + 1)};
}

/// The nodes that have tensors, in their order.
std::vector<std::string> nodes_of(const Network& network) {
    std::vector<std::string> nodes;
    for (const std::string& tensor : network.tensor_names()) {
        const std::string node = tensor.substr(0, tensor.rfind('.'));
        if (nodes.empty() || nodes.back() != node) nodes.push_back(node);
    }
    return nodes;
}

/// What the network calls the tensors of a Sequential; none where the names are not those of one with as many
/// modules.
std::optional<Names> names_by_order(const std::vector<std::string>& names, const Network& network) {
    std::map<uint64_t, std::vector<std::pair<std::string, std::string>>> modules;  // names, and their tensors
    std::optional<std::string> prefix;
    for (const std::string& name : names) {
        const auto parts = sequential_name(name);
        if (!parts || (prefix && *prefix != parts->prefix)) return std::nullopt;
        prefix = parts->prefix;
        modules[parts->number].emplace_back(name, parts->tensor);
    }
    const std::vector<std::string> nodes = nodes_of(network);
    if (modules.size() != nodes.size()) return std::nullopt;
    Names found;
    auto node = nodes.begin();
    for (const auto& [number, tensors] : modules) {
        for (const auto& [name, tensor] : tensors) found[name] = *node + "." + tensor;
        ++node;
    }
    return found;
}

Names names_for(const std::vector<std::string>& names, const Network& network, const LoadOptions& options) {
    Names known;
    if (options.rename) {
        for (const std::string& name : names) known[name] = options.rename(name);
        return known;
    }
    const std::vector<std::string> tensors = network.tensor_names();
    const bool same = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return std::find(tensors.begin(), tensors.end(), name) != tensors.end();
    });
    if (!same)
        if (auto by_order = names_by_order(names, network)) return *std::move(by_order);
    for (const std::string& name : names) known[name] = name;
    return known;
}

/// What of a file is the network's, under the names that it has there. The rest stays in `tensors`.
HostTensors take_state(HostTensors& tensors, const Network& network, const LoadOptions& options) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : tensors)
        if (!is_beside_state_dict(name)) names.push_back(name);
    const Names known = names_for(names, network, options);
    HostTensors state;
    for (const auto& [name, wanted] : known) {
        const auto node = tensors.extract(name);
        if (wanted.empty()) continue;
        if (!state.emplace(wanted, std::move(node.mapped())).second)
            detail::refuse("load_checkpoint", name, "the name " + wanted + " a second time",
                           "one of its own");
    }
    for (auto at = tensors.begin(); at != tensors.end();) {
        const auto next = std::next(at);
        if (is_training_state(at->first)) {
            auto node = tensors.extract(at);
            if (options.training) state.insert(std::move(node));
        }
        at = next;
    }
    return state;
}

/// What `call` refuses is the fault of the file.
template <class Call>
void in_file(const std::filesystem::path& file, Call call) {
    try {
        call();
    } catch (const std::invalid_argument& refused) {
        throw FormatError(file.string() + ": " + refused.what());
    }
}

}  // namespace

void save_checkpoint(Network& network, const std::filesystem::path& file, const SaveOptions& options) {
    Safetensors content{network.state(options.training), options.metadata};
    content.metadata.emplace("format", "pt");
    for (const auto& [name, tensor] : options.beside) {
        if (!is_beside_state_dict(name) || is_training_state(name))
            detail::refuse("save_checkpoint", "beside", "the name " + name,
                           "one that begins with training/ and is none of the network's");
        content.tensors[name] = tensor;
    }
    write_safetensors(file, content, options.existing);
}

Safetensors load_checkpoint(Network& network, const std::filesystem::path& file, const LoadOptions& options) {
    Safetensors content = read_safetensors(file, [&](HostTensors announced) {
        in_file(file, [&] { network.check_state(take_state(announced, network, options)); });
    });
    in_file(file, [&] { network.set_state(take_state(content.tensors, network, options)); });
    return content;
}

}  // namespace vknorm
