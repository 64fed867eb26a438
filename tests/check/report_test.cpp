// The report that people send: what it says of a device that works and of one that does not.
#include "check/report.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "check/program.hpp"
#include "check/report_text.hpp"
#include "support/data_files.hpp"
#include "support/device_fixture.hpp"
#include "support/places.hpp"
#include "support/program.hpp"
#include "support/replaced_function.hpp"

namespace vknorm::check {
namespace {

using nlohmann::json;

class CheckReport : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
    const std::filesystem::path& folder() const { return directory_.path(); }

    ReportOptions options(const std::string& cases) const {
        std::ofstream(path("cases")) << cases;
        return {.cases = read_cases(path("cases")), .shapes = {}, .rounds = 1};
    }
    struct Answer {
        int status;
        std::string out, err;
    };
    static Answer run(std::vector<const char*> words) {
        words.insert(words.end(), {"--device", testing::mode().device.c_str()});
        std::ostringstream out, err;
        const int status = run_program(words, out, err);
        return {status, out.str(), err.str()};
    }

  private:
    test::TemporaryDirectory directory_;
};

constexpr const char* two_operations =
    "--op batch_norm --mode training --shape 4x8x9x9\n"
    "--op batch_norm --mode inference --shape 3x4\n"
    "--op batch_norm --mode inference --shape 5x4\n"
    "--op layer_norm --mode forward --shape 5x12 --storage float16\n";

/// The value's keys are those of the example, and their values, down to the last, of the example's types. All
/// elements of an array are like the example's one.
void expect_like(const json& value, const json& example, const std::string& where) {
    ASSERT_EQ(std::string(value.type_name()), example.type_name()) << where;
    if (example.is_object()) {
        for (const auto& [key, element] : example.items()) {
            ASSERT_TRUE(value.contains(key)) << where << '.' << key;
            expect_like(value[key], element, where + "." + key);
        }
        for (const auto& [key, element] : value.items())
            EXPECT_TRUE(example.contains(key) || where.ends_with(".copies")) << where << '.' << key;
    }
    if (example.is_array() && !example.empty()) {
        ASSERT_FALSE(value.empty()) << where;
        for (const json& element : value) expect_like(element, example.front(), where + "[]");
    }
}

const json schema = json::parse(R"json({
    "vknorm": "", "passed": true, "failures": [],
    "device": {"name": "", "driver": "", "type": "", "vulkan": "", "subgroup_size": 8, "shared_bytes": 1,
               "workgroup_invocations": 1, "storage_buffer_range": 1, "storage_16_bit": true,
               "shader_int64": true, "texel_blocks": true, "push_descriptors": true, "timestamps": true,
               "memory_bytes": 1, "tuning": ""},
    "operations": [{"operation": "", "passed": 1, "failed": 0, "not_supported": 0, "reason": "",
                    "worst_over_bound": 0.5, "worst_tensor": "", "worst_ulps": 0.5}],
    "bits": {"mean_and_squares": "", "results": "", "calls": 3, "calls_changed": 0},
    "speed": {"rounds": 1, "unmeasured": [],
              "shapes": [{"operation": "", "shape": [1], "plan": "", "worst_over_bound": 0.5,
                          "contention": "", "empty_dispatch_ms": 0.5, "copies": {"kernel": 0.5},
                          "directions": [{"direction": "", "ms": 0.5, "best_ms": 0.5, "spread": 0.5,
                                          "gbps": 0.5, "of_copy_kernel": 0.5, "of_best_copy": 0.5}]}]}})json");

TEST_F(CheckReport, SaysHowADeviceDoes) {
    if (testing::mode().small_limits || testing::mode().gpu_assisted)
        GTEST_SKIP() << "speed is that of the whole device";
    ReportOptions wanted = options(two_operations);
    wanted.resident = true;
    wanted.shapes = {{.operation = "batch_norm", .shape = {4, 8, 16, 16}}};
    std::vector<std::string> steps;
    wanted.progress = [&](const std::string& line) { steps.push_back(line); };
    const Report report = make_report(testing::test_device(), wanted);
    EXPECT_EQ(report.failures, std::vector<std::string>());
    EXPECT_EQ(steps.front(), "call 1 of 4");

    std::ostringstream out;
    EXPECT_EQ(print_report(report, path("json"), false, out), exit_status::passed);
    std::ifstream stream(path("json"));
    const json document = json::parse(stream);
    expect_like(document, schema, "report");
    EXPECT_EQ(document["passed"], true);
    const json& inference = document["operations"][0];
    EXPECT_EQ(inference["operation"], "batch_norm inference");
    EXPECT_EQ(inference["passed"], 2);
    EXPECT_LT(inference["worst_over_bound"], 1.0);
    const bool sixteen = testing::test_device().capabilities().storage_16_bit;
    EXPECT_EQ(document["operations"][2]["not_supported"], sixteen ? 0 : 1);
    EXPECT_EQ(document["bits"]["calls"], sixteen ? 4 : 3);
    EXPECT_EQ(document["bits"]["results"].get<std::string>().size(), 16u);
    EXPECT_GT(document["device"]["memory_bytes"], 0);
    EXPECT_EQ(document["speed"]["shapes"][0]["shape"], json({4, 8, 16, 16}));

    // A file that is there is not replaced, and what was found is printed all the same.
    std::ostringstream again;
    EXPECT_THROW(print_report(report, path("json"), false, again), FileError);
    EXPECT_EQ(again.str(), out.str());
    EXPECT_EQ(print_report(report, path("json"), true, again), exit_status::passed);
    EXPECT_TRUE(out.str().starts_with(testing::test_device().info().name + ", ")) << out.str();
    EXPECT_NE(out.str().find("| batch_norm inference | 2 | 0 | 0 | "), std::string::npos) << out.str();
    EXPECT_NE(out.str().find("| batch_norm (4, 8, 16, 16) backward | "), std::string::npos) << out.str();
    EXPECT_EQ(out.str().find("JSON"), std::string::npos) << out.str();
    std::ostringstream whole;
    print_report(report, "", false, whole);
    EXPECT_TRUE(whole.str().starts_with(out.str()));
    const size_t begin = whole.str().find("```json\n") + 8, end = whole.str().rfind("\n```");
    EXPECT_EQ(json::parse(whole.str().substr(begin, end - begin)), document);
}

TEST_F(CheckReport, HashesRepeat) {
    const ReportOptions wanted = options(two_operations);
    const Report first = make_report(testing::test_device(), wanted);
    const Report second = make_report(testing::test_device(), wanted);
    EXPECT_NE(first.bits.moments, first.bits.results);
    EXPECT_EQ(first.bits.moments, second.bits.moments);
    EXPECT_EQ(first.bits.results, second.bits.results);
    EXPECT_EQ(first.bits.calls_changed, 0);
}

/// Kernels that do not run leave what was there.
TEST_F(CheckReport, AFailureShows) {
    const ReportOptions wanted = options("--op batch_norm --mode inference --shape 3x4\n");
    const testing::ReplacedFunction broken(
        testing::test_device().state().vk.CmdDispatch,
        PFN_vkCmdDispatch([](VkCommandBuffer, uint32_t, uint32_t, uint32_t) {}));
    const Report report = make_report(testing::test_device(), wanted);
    ASSERT_EQ(report.failures.size(), 1u);
    EXPECT_TRUE(
        report.failures[0].starts_with("--op batch_norm --mode inference --shape 3x4: y: element 0 of 12 is"))
        << report.failures[0];
    std::ostringstream out;
    EXPECT_EQ(print_report(report, "", false, out), exit_status::failed);
    EXPECT_NE(out.str().find("**FAILED**: 0 calls passed, 1 failed, 0 not supported."), std::string::npos);
    EXPECT_NE(out.str().find("- " + report.failures[0]), std::string::npos) << out.str();
    EXPECT_EQ(json_of(report)["passed"], false);
    EXPECT_EQ(json_of(report)["failures"].size(), 1u);
}

TEST_F(CheckReport, WrongArgumentsAreNamed) {
    const std::string file = path("there");
    std::ofstream(file) << "kept";
    const Answer there = run({"--report", file.c_str()});
    EXPECT_EQ(there.status, exit_status::failed);
    EXPECT_EQ(there.err, file + ": is there already: --force replaces it\n");
    EXPECT_EQ(testing::read_text(file), "kept");
    EXPECT_EQ(run({"--report", "/dev/full"}).err,
              "/dev/full: cannot be written: it is a device, needs a file\n");
    EXPECT_EQ(run({"--report", path("missing/report").c_str()}).status, exit_status::failed);
    for (const auto& words : {std::vector{"--report", ""}, {"--report="}}) {
        EXPECT_EQ(run(words).status, exit_status::usage);
        EXPECT_EQ(run(words).err, "--report: got nothing, needs a name\n");
    }
    EXPECT_EQ(run({"--report", "--op", "batch_norm"}).err, "--op excludes --report\n");
    EXPECT_EQ(run({"--report", "--speed"}).err, "--speed excludes --report\n");
    EXPECT_EQ(run({"--report", "--groups", "3"}).err, "--groups excludes --report\n");
    EXPECT_EQ(run({"--report", "--force"}).err, "--force requires --out, --json or a file of --report\n");
    EXPECT_EQ(run({"--force", "--list-devices"}).status, exit_status::usage);
    const char* const absent[] = {"--report", "--device", "none such"};
    std::ostringstream out, err;
    EXPECT_EQ(run_program(absent, out, err), exit_status::no_device);
}

TEST_F(CheckReport, AnInterruptEndsIt) {
    const std::string file = path("json");
    testing::Program program(folder(), {testing::built_program("vknorm-check"), "--report", file, "--device",
                                        testing::mode().device});
    while (program.error().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    program.interrupt();
    EXPECT_EQ(program.wait(), 128 + SIGINT);
    EXPECT_TRUE(program.error().starts_with("call 1 of ")) << program.error();
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
        EXPECT_TRUE(entry.path().filename().string().starts_with("std")) << entry.path();
}

}  // namespace
}  // namespace vknorm::check
