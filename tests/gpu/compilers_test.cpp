// What GPUs' compilers make of our shaders. On the wrapper driver: tests/gpu/on_compiler.
#include <algorithm>
#include <cstdio>
#include <gtest/gtest.h>
#include <iterator>
#include <set>
#include <sstream>

#include <vknorm/vknorm.hpp>

#include "check/outcome.hpp"
#include "check/request.hpp"
#include "gpu/recorded_work.hpp"
#include "gpu/wrapper_driver.hpp"
#include "shaders/every_shader.hpp"
#include "vulkan/device_state.hpp"
#include "vulkan/dispatch.hpp"
#include "vulkan/pipelines.hpp"

namespace vknorm::testing {
namespace {

using wrapper::CompiledPipeline;

/// How many lines of the code have one of these.
size_t lines_with(const std::string& code, std::initializer_list<const char*> words) {
    size_t count = 0;
    std::istringstream lines(code);
    for (std::string line; std::getline(lines, line);)
        count += std::ranges::any_of(words, [&](const char* word) { return line.find(word) != line.npos; });
    return count;
}

/// Of float32: AMD's (whose v_mad and v_mac round twice), and Intel's.
size_t fused_multiply_adds(const CompiledPipeline& pipeline) {
    return lines_with(pipeline.code,
                      {"v_fma_f32", "v_fmac_f32", "v_fmamk_f32", "v_fmaak_f32", "v_pk_fma_f32", "mad("});
}

/// Loads of four adjacent words of a buffer: AMD's up to RDNA2 and since, Intel's up to Tiger Lake and since.
size_t loads_of_four(const CompiledPipeline& pipeline) {
    size_t count = lines_with(pipeline.code, {"buffer_load_dwordx4", "buffer_load_b128", "d32, xyzw"});
    std::istringstream lines(pipeline.code);
    for (std::string line; std::getline(lines, line);)
        count += line.find("untyped surface read") != line.npos && line.find("Mask = 0x0") != line.npos;
    return count;
}

/// A product with a power of two is exact, so that to add to it in one instruction changes nothing: counters
/// of 64 bits become a float32, and moments are taken from the range in which they were added.
size_t exact_multiply_adds(const std::string& name) {
    if (name.starts_with("norm_finalize")) return 2;
    if (name.starts_with("norm_fused_forward")) return 4;  // of a set each
    return name.starts_with("norm_commit") ? 1 : 0;
}

void expect_registers_suffice(const CompiledPipeline& pipeline) {
    // AMD's compiler: more vector registers leave a multiprocessor few subgroups to hide a load behind.
    constexpr double usual_vector_registers = 112, of_four_sums = 184;
    // The sums of four strands side by side, with a mask or with what is done with them, are too many values
    // at once for some compilers, which keep a part in memory.
    constexpr double most_spills = 256, most_scratch_bytes = 8192;
    const bool may_spill =
        pipeline.name.starts_with("norm_fused_backward") || pipeline.name.starts_with("norm_backward_sums");
    const double most_vector_registers = may_spill ? of_four_sums : usual_vector_registers;
    int known = 0;
    for (const auto& [name, value] : pipeline.statistics) {
        const bool spills = name.starts_with("Spill") || name.starts_with("Scratch") || name == "Fill Count";
        const double most = !may_spill ? 0 : name.starts_with("Scratch") ? most_scratch_bytes : most_spills;
        EXPECT_LE(spills ? value : 0, most) << pipeline.name << ": " << name;
        EXPECT_LE(name == "VGPRs" ? value : 0, most_vector_registers) << pipeline.name;
        known += spills;
    }
    EXPECT_GE(known, 2) << pipeline.name << ": this compiler does not tell";
}

TEST(Compilers, MakeGoodCodeOfWhatTheEngineChooses) {
    Device device(DeviceOptions{});
    wrapper::take_compiled();
    run_cases(device);
    run_training(device);
    const std::vector<CompiledPipeline> compiled = wrapper::take_compiled();
    EXPECT_GT(compiled.size(), 100u);
    for (const CompiledPipeline& pipeline : compiled) {
        EXPECT_EQ(pipeline.result, VK_SUCCESS) << pipeline.name;
        expect_registers_suffice(pipeline);
        if (!pipeline.name.starts_with("norm_")) continue;  // whose arithmetic is `precise`
        EXPECT_LE(fused_multiply_adds(pipeline), exact_multiply_adds(pipeline.name)) << pipeline.name;
    }
    std::printf("%zu pipelines\n", compiled.size());
}

TEST(Compilers, LoadFourValuesAtOnce) {
    Device device(DeviceOptions{});
    wrapper::take_compiled();
    check::run(device,
               check::generate(check::parse_request("--op batch_norm --mode training --shape 2x64x28x28")));
    size_t streaming = 0;
    for (const CompiledPipeline& pipeline : wrapper::take_compiled()) {
        const auto is = [&](const char* pass) { return pipeline.name.starts_with(pass); };
        if (!is("norm_statistics") && !is("norm_apply") && !is("norm_backward_sums") &&
            !is("norm_backward_apply"))
            continue;
        ++streaming;
        const size_t tensors = is("norm_backward") ? 2 : 1;  // that are read: x, and dy
        EXPECT_GE(loads_of_four(pipeline), tensors) << pipeline.name;
    }
    EXPECT_EQ(streaming, 4u);
}

/// Those of CPUs and of all tunings too; what neither the cases nor a network need, with the shader's own
/// constants.
TEST(Compilers, TakeEveryModule) {
    wrapper::take_compiled();
    wrapper::keep_code(false);
    std::set<std::string> names;
    size_t pipelines = 0;
    const auto note = [&] {
        for (const CompiledPipeline& pipeline : wrapper::take_compiled()) {
            EXPECT_EQ(pipeline.result, VK_SUCCESS) << pipeline.name;
            names.insert(pipeline.name);
            ++pipelines;
        }
    };
    for (const BlockLoads loads : {BlockLoads::buffers, BlockLoads::texels}) {
        DeviceOptions options;
        options.clamp = [](Capabilities& capabilities) {  // it runs nothing of what it could not
            capabilities.cpu = true;
            capabilities.texel_blocks = capabilities.shader_int64 = capabilities.storage_16_bit = true;
        };
        options.tuning = [loads](Device&) {
            return Tuning{.loads = loads,
                          .stores = BlockStores::wide,
                          .fused_rows = 512,
                          .fused_elements = 1u << 21,
                          .fused_row = 256};
        };
        Device device(options);
        run_cases(device);
        if (loads == BlockLoads::buffers) run_training(device);
        note();
    }
    Device device(DeviceOptions{});
    for (const shaders::Shader* const shader : shaders::every_shader) {
        if (names.contains(shader->name)) continue;
        constexpr uint32_t workgroup[] = {64};
        device.state().pipelines->get(*shader, workgroup, detail::push_bytes_everywhere);
    }
    note();
    EXPECT_EQ(names.size(), std::size(shaders::every_shader));
    std::printf("%zu pipelines of %zu modules\n", pipelines, names.size());
}

}  // namespace
}  // namespace vknorm::testing
