// vknorm-check as its user meets it: files in, files out, lines and exit statuses.
#include "check/program.hpp"

#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "check/operation.hpp"
#include "support/data_files.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::check {
namespace {

struct Answer {
    int status;
    std::string out, err;
};

Answer run(std::vector<std::string> words) {
    words.insert(words.end(), {"--device", testing::mode().device});
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    std::ostringstream out, err;
    const int status = run_program(arguments, out, err);
    return {status, out.str(), err.str()};
}

class CheckProgram : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name)) << text;
        return path(name);
    }

  private:
    test::TemporaryDirectory directory_;
};

TEST_F(CheckProgram, TellsWhatEachPassTakes) {
    const Answer result = run(
        {"--op", "batch_norm", "--mode", "training", "--shape", "8x4x31x31", "--without", "dy", "--speed"});
    EXPECT_EQ(result.status, exit_status::passed) << result.err;
    if (testing::test_device().capabilities().timestamp_period_ns == 0) {
        EXPECT_NE(result.out.find("this device measures no time"), std::string::npos) << result.out;
        return;
    }
    for (const char* pass : {" ms:", "batch_norm.statistics ", "batch_norm.finalize ", "batch_norm.apply "})
        EXPECT_NE(result.out.find(pass), std::string::npos) << result.out;
    EXPECT_EQ(result.out.find("batch_norm.backward"), std::string::npos) << result.out;
}

TEST_F(CheckProgram, ReadsAndWritesTensors) {
    const auto floats = [](TensorShape shape, std::vector<float> values) {
        return HostTensor(std::move(shape), std::span<const float>(values));
    };
    write_safetensors(path("in"), {{{"x", floats({2, 2}, {1, 10, 3, 30})},
                                    {"gamma", floats({2}, {1, 2})},
                                    {"beta", floats({2}, {0, 5})},
                                    {"running_mean", floats({2}, {0, 0})},
                                    {"running_var", floats({2}, {1, 1})},
                                    {"dy", floats({2, 2}, {1, 1, 1, 1})}}});
    const Answer result = run({"--op", "batch_norm", "--mode", "training", "--eps", "0", "--momentum", "0.5",
                               "--in", path("in"), "--out", path("out")});
    EXPECT_EQ(result.status, exit_status::passed) << result.err;
    EXPECT_TRUE(result.out.starts_with("accuracy  batch_norm training")) << result.out;
    const HostTensors got = read_safetensors(path("out")).tensors;
    EXPECT_EQ(got.at("y").shape, (TensorShape{2, 2}));
    EXPECT_EQ(got.at("y").floats(), (std::vector<float>{-1, 3, 1, 7}));
    EXPECT_EQ(got.at("mean").floats(), (std::vector<float>{2, 20, 0, 0}));
    EXPECT_EQ(got.at("running_var").floats(), (std::vector<float>{1.5f, 100.5f}));
    EXPECT_EQ(got.at("dbeta").floats(), (std::vector<float>{2, 2}));
    EXPECT_EQ(got.at("dx").floats(), (std::vector<float>(4, 0)));

    const Answer there =
        run({"--op", "batch_norm", "--mode", "inference", "--in", path("in"), "--out", path("out")});
    EXPECT_EQ(there.status, exit_status::failed);
    EXPECT_EQ(there.err, path("out") + ": is there already: --force replaces it\n");
    EXPECT_EQ(read_safetensors(path("out")).tensors.at("y").floats(), got.at("y").floats());
    EXPECT_EQ(run({"--op", "batch_norm", "--mode", "inference", "--in", path("in"), "--out", path("out"),
                   "--force"})
                  .status,
              exit_status::passed);

    // What training saved, taken for a backward of its own.
    HostTensors inputs = read_safetensors(path("in")).tensors;
    for (const char* name : {"mean", "inv_std"}) inputs[name] = got.at(name);
    write_safetensors(path("in"), {inputs});
    EXPECT_EQ(
        run({"--op", "batch_norm", "--mode", "backward", "--in", path("in"), "--out", path("back")}).status,
        exit_status::passed);
    EXPECT_EQ(read_safetensors(path("back")).tensors.at("dbeta").floats(), (std::vector<float>{2, 2}));
    inputs.erase("mean");
    write_safetensors(path("in"), {inputs});
    const Answer half = run({"--op", "batch_norm", "--mode", "backward", "--in", path("in")});
    EXPECT_EQ(half.status, exit_status::usage);
    EXPECT_EQ(half.err, "batch_norm backward: mean, inv_std: got one of them, needs both or neither\n");
}

TEST_F(CheckProgram, RunsAFileOfCases) {
    const std::string cases = write("cases",
                                    "# two of them\n\n--op batch_norm --mode inference --shape 3x4\n"
                                    "--op batch_norm --mode inference --shape 3x5x2  # odd\n");
    const Answer result = run({"--cases", cases});
    EXPECT_EQ(result.status, exit_status::passed) << result.err;
    EXPECT_NE(result.out.find("  2 cases, 0 failed"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find(testing::test_device().info().name), std::string::npos);

    write("cases",
          "--op batch_norm --mode inference --shape 3x4\n--op batch_norm --mode inference --shape 3x0\n");
    const Answer wrong = run({"--cases", cases});
    EXPECT_EQ(wrong.status, exit_status::usage);
    EXPECT_EQ(wrong.err, cases + ":2: batch_norm: shape: got 0 channels, needs at least 1\n");
    write("cases", "--op batch_norm --mode inference --shap 3x4\n");
    EXPECT_EQ(run({"--cases", cases}).err, cases + ":1: unknown option '--shap': did you mean --shape?\n");
    write("cases", "# nothing\n");
    EXPECT_EQ(run({"--cases", cases}).err, cases + ": holds no case\n");
}

/// What the device cannot do is neither a failure nor hidden.
TEST_F(CheckProgram, CountsWhatItSkips) {
    const Answer result =
        run({"--op", "batch_norm", "--mode", "inference", "--shape", "3x4", "--storage", "float16"});
    EXPECT_EQ(result.status, exit_status::passed) << result.err;
    const bool ran = result.out.find("  1 cases, 0 failed") != std::string::npos;
    const bool skipped =
        result.out.find("  SKIPPED 1: batch_norm: storage: got float16, needs ") != std::string::npos;
    EXPECT_NE(ran, skipped) << result.out;
}

TEST_F(CheckProgram, ExitStatusTellsWhatWentWrong) {
    const std::vector<std::string> good{"--op", "batch_norm", "--mode", "inference", "--shape", "3x4"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), good.begin(), good.end());
        return run(more);
    };
    EXPECT_EQ(with({}).status, exit_status::passed);
    EXPECT_EQ(run({"--help"}).status, exit_status::passed);
    EXPECT_EQ(run({"--list-devices"}).status, exit_status::passed);
    EXPECT_EQ(with({"--in", "x"}).status, exit_status::usage);
    EXPECT_EQ(with({"--cases", "x"}).status, exit_status::usage);
    EXPECT_EQ(with({"--eps", "-1"}).status, exit_status::usage);
    EXPECT_EQ(with({"--out", path("missing/out")}).status, exit_status::failed);
    EXPECT_EQ(with({"--out", "/dev/full"}).err,
              "/dev/full: cannot be written: it is a device, needs a file\n");
    EXPECT_EQ(with({"--out", ""}).err, "--out: got nothing, needs a name\n");
    EXPECT_EQ(run({"--cases", "/"}).err, "/: cannot be read: it is a folder, needs a file\n");
    const Answer damaged =
        run({"--op", "batch_norm", "--mode", "inference", "--in", write("damaged", "12345678")});
    EXPECT_EQ(damaged.status, exit_status::failed);
    EXPECT_NE(damaged.err.find("damaged: header: got "), std::string::npos) << damaged.err;

    const char* const absent[] = {"--op",    "batch_norm", "--mode",   "inference",
                                  "--shape", "3x4",        "--device", "none such"};
    std::ostringstream out, err;
    EXPECT_EQ(run_program(absent, out, err), exit_status::no_device);
    EXPECT_NE(err.str().find("none such"), std::string::npos);
}

TEST_F(CheckProgram, HelpNamesEverything) {
    const std::string help = run({"--help"}).out;
    for (const Operation& operation : operations()) {
        EXPECT_NE(help.find("  " + operation.name + ": "), std::string::npos);
        for (const Option& option : operation.options)
            EXPECT_NE(help.find("--" + option.name), std::string::npos) << option.name;
        for (const Mode& mode : operation.modes) {
            EXPECT_NE(help.find("--mode " + mode.name), std::string::npos) << mode.name;
            for (const auto* names : {&mode.needs, &mode.takes, &mode.adds, &mode.gives})
                for (const std::string& name : *names) EXPECT_TRUE(operation.find_tensor(name)) << name;
        }
    }
}

}  // namespace
}  // namespace vknorm::check
