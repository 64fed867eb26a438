#include "vulkan/specialize.hpp"

#include <spirv-tools/optimizer.hpp>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace vknorm::detail {

std::vector<uint32_t> specialized(std::span<const uint32_t> words, std::span<const uint32_t> constants) {
    std::unordered_map<uint32_t, std::vector<uint32_t>> values;
    for (uint32_t id = 0; id < constants.size(); ++id) values[id] = {constants[id]};

    spvtools::Optimizer optimizer(SPV_ENV_VULKAN_1_1);
    std::string complaint;
    optimizer.SetMessageConsumer([&](spv_message_level_t, const char*, const spv_position_t&,
                                     const char* message) { complaint = message; });
    // Propagation finds what functions compute from their constants, to switch on it. Dead branches go before
    // it, too: it then has half as much to read.
    optimizer.RegisterPass(spvtools::CreateSetSpecConstantDefaultValuePass(values))
        .RegisterPass(spvtools::CreateFreezeSpecConstantValuePass())
        .RegisterPass(spvtools::CreateFoldSpecConstantOpAndCompositePass())
        .RegisterPass(spvtools::CreateDeadBranchElimPass())
        .RegisterPass(spvtools::CreateCCPPass())
        .RegisterPass(spvtools::CreateDeadBranchElimPass())
        .RegisterPass(spvtools::CreateAggressiveDCEPass());
    spvtools::OptimizerOptions options;
    options.set_run_validator(false);  // the build validates the shaders
    std::vector<uint32_t> result;
    if (!optimizer.Run(words.data(), words.size(), &result, options))
        throw std::logic_error("a shader is not SPIR-V: " + complaint);
    return result;
}

}  // namespace vknorm::detail
