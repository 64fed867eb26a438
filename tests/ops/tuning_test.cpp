// What is tuned, where that is kept, and when it is measured. That no tuning changes a bit:
// norm_bits_test.cpp.
#include "ops/norm/tuning.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <vknorm/batch_norm.hpp>
#include <vknorm/file.hpp>

#include "ops/norm/tune.hpp"
#include "ops/norm/tuning_file.hpp"
#include "support/data_files.hpp"
#include "support/device_fixture.hpp"
#include "support/raw_vulkan.hpp"

namespace vknorm::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Other than any table's.
constexpr Tuning unusual{.workgroup = 24, .sweep = 77, .fused_rows = 5};

/// Keeps the tuning of the device under test in a folder, and counts how often it is measured.
struct Keeper {
    fs::path folder;
    int measured = 0;

    Tuning operator()(std::optional<Tuning> found = unusual) {
        return detail::kept_tuning(test_device(), folder, [&] {
            ++measured;
            return found;
        });
    }
    fs::path file() const { return detail::tuning_file(folder, test_device().info()); }
};

TEST(TuningTable, GoesByTheDriver) {
    Capabilities capabilities{.cpu = true, .max_workgroup_invocations = 1024, .texel_blocks = true};
    DeviceInfo info{.driver = "llvmpipe Mesa 22.3.6 (LLVM 15.0.6)"};
    EXPECT_EQ(detail::default_tuning(info, capabilities).text(),
              "loads=texels stores=vectors workgroup=128 sweep=128 images=8 swept_row=128 "
              "fused_rows=512 fused_elements=65536 fused_row=256");
    capabilities.texel_blocks = false;
    EXPECT_EQ(detail::default_tuning(info, capabilities).loads, BlockLoads::buffers);
    capabilities = {.max_workgroup_invocations = 64, .texel_blocks = true};
    for (const char* driver : {"NVIDIA 535.104.05", "llvmpipe, as a GPU"}) {
        info = {.driver = driver};
        EXPECT_EQ(detail::default_tuning(info, capabilities).text(),
                  "loads=buffers stores=vectors workgroup=64 sweep=16 images=8 swept_row=256 "
                  "fused_rows=64 fused_elements=65536 fused_row=8192");
    }
}

TEST(TuningTable, IsWhatADeviceHasUnlessItIsTuned) {
    EXPECT_EQ(test_device().tuning(),
              detail::default_tuning(test_device().info(), test_device().capabilities()));
    DeviceOptions options = test_device_options();
    options.tuning = [](Device& device) {
        EXPECT_EQ(device.tuning(), test_device().tuning());
        return unusual;
    };
    Device device(options);
    EXPECT_EQ(device.tuning(), unusual);
    for (const std::vector<uint32_t>& shape : {std::vector<uint32_t>{4, 8, 64}, {4, 8}})
        EXPECT_THAT(
            BatchNorm(device, {.shape = shape}).explain(),
            HasSubstr("tuning: loads=buffers stores=vectors workgroup=24 sweep=77 images=8 swept_row=256 "
                      "fused_rows=5 fused_elements=0 fused_row=0\n"));
}

TEST(TuningTable, IsReplacedOnAnAdoptedDeviceToo) {
    RawVulkan raw;
    const auto adopted = [&raw](const Tuning& tuning) {
        AdoptedDevice lent = raw.adopted();
        lent.tuning = [tuning](Device&) { return tuning; };
        return Device::adopt(lent).tuning();
    };
    const Device plain = Device::adopt(raw.adopted());
    EXPECT_EQ(plain.tuning(), detail::default_tuning(plain.info(), plain.capabilities()));
    EXPECT_EQ(adopted(unusual), unusual);
    EXPECT_THAT(refusal([&] { adopted({.stores = BlockStores::wide}); }), HasSubstr("got wide"))
        << "whether shaderInt64 was enabled is not known";
}

TEST(TuningTable, RefusesWhatTheDeviceCannotDo) {
    const auto refused = [](const Tuning& tuning) {
        DeviceOptions options = test_device_options();
        options.tuning = [&tuning](Device&) { return tuning; };
        options.clamp = [clamp = options.clamp](Capabilities& capabilities) {
            clamp(capabilities);
            capabilities.max_workgroup_invocations = 128;
            capabilities.shader_int64 = false;
        };
        return refusal([&] { const Device device(options); });
    };
    EXPECT_EQ(refused({.workgroup = 256}), "Device: tuning.workgroup: got 256, needs 8 to 128");
    EXPECT_EQ(refused({.workgroup = 1}), "Device: tuning.workgroup: got 1, needs 8 to 128");
    EXPECT_EQ(refused({.sweep = 0}), "Device: tuning.sweep: got 0, needs 2 to 512");
    EXPECT_EQ(refused({.images = 33}), "Device: tuning.images: got 33, needs 1 to 32");
    EXPECT_THAT(refused({.stores = BlockStores::wide}), HasSubstr("Device: tuning.stores: got wide"));
}

TEST(TuningText, IsReadAsItIsWritten) {
    for (const BlockLoads loads : {BlockLoads::buffers, BlockLoads::texels}) {
        for (const BlockStores stores : {BlockStores::vectors, BlockStores::wide}) {
            Tuning tuning = unusual;
            tuning.loads = loads;
            tuning.stores = stores;
            EXPECT_EQ(detail::tuning_of(tuning.text()), tuning);
        }
    }
    const std::string good = unusual.text();
    for (const std::string& bad :
         {std::string(), good + " ", good.substr(0, good.size() - 2), "x" + good,
          std::string("loads=scalars stores=vectors workgroup=64 sweep=2 images=1 swept_row=1 fused_rows=0 "
                      "fused_elements=0 "
                      "fused_row=0"),
          std::string("loads=buffers stores=vectors workgroup=-1 sweep=2 images=1 swept_row=1 fused_rows=0 "
                      "fused_elements=0 "
                      "fused_row=0"),
          std::string(
              "loads=buffers stores=vectors workgroup=64 sweep=99999999999 images=1 swept_row=1 fused_rows=0 "
              "fused_elements=0 fused_row=0")})
        EXPECT_EQ(detail::tuning_of(bad), std::nullopt) << bad;
}

TEST(TuningFile, IsMeasuredOnceAndReadFromThenOn) {
    const test::TemporaryDirectory folder;
    Keeper keeper{folder.path() / "made" / "for it"};
    EXPECT_EQ(keeper(), unusual);
    EXPECT_EQ(keeper.measured, 1);
    EXPECT_THAT(test::contents(keeper.file()), HasSubstr(unusual.text()));
    EXPECT_EQ(test::files_in(keeper.folder), 1u) << "nothing else is left behind";
    EXPECT_EQ(keeper(Tuning{}), unusual);
    EXPECT_EQ(keeper.measured, 1);

    DeviceOptions options = test_device_options();
    options.tuning =
        tuned_in(keeper.folder, [](const TuningTrial&) -> bool { throw std::logic_error("measures"); });
    EXPECT_EQ(Device(options).tuning(), unusual);
}

TEST(TuningFile, IsReplacedWhereDamaged) {
    const test::TemporaryDirectory folder;
    Keeper keeper{folder.path()};
    keeper();
    const std::string good = test::contents(keeper.file());
    const std::string heading = good.substr(0, good.find('\n') + 1);
    const Tuning impossible{.workgroup = 1u << 30};
    int damaged = 0;
    for (const std::string& text :
         {std::string(), heading, good.substr(0, good.size() - 3), good + "more\n", "x" + good,
          heading + impossible.text() + "\n", std::string(100'000, '\n')}) {
        SCOPED_TRACE(text);
        std::ofstream(keeper.file()) << text;
        EXPECT_EQ(keeper(), unusual);
        EXPECT_EQ(keeper.measured, ++damaged + 1);
        EXPECT_EQ(test::contents(keeper.file()), good);
    }
}

TEST(TuningFile, HasAnotherNameForAnotherDriverOrDevice) {
    const DeviceInfo info = test_device().info();
    const fs::path usual = detail::tuning_file("folder", info);
    EXPECT_EQ(usual.parent_path(), "folder");
    EXPECT_THAT(usual.filename().string(), HasSubstr(info.uuid_text()));
    DeviceInfo version = info, driver = info, uuid = info;
    ++version.driver_version;
    driver.driver += ".1";
    ++uuid.uuid[3];
    for (const DeviceInfo& other : {version, driver, uuid})
        EXPECT_NE(detail::tuning_file("folder", other), usual);
}

TEST(TuningFile, ThatCannotBeWrittenIsAnErrorBeforeAnythingIsMeasured) {
    const test::TemporaryDirectory folder;
    Keeper keeper{folder.path() / "a file"};
    std::ofstream(keeper.folder) << "in the way";
    try {
        keeper();
        FAIL() << "must throw";
    } catch (const FileError& error) {
        EXPECT_THAT(error.what(), HasSubstr(keeper.folder.string()));
    }
    EXPECT_EQ(keeper.measured, 0);
}

/// Found out before anything is measured, and without waiting for somebody to write into a pipe.
TEST(TuningFile, ThatIsNoFileIsAnError) {
    const test::TemporaryDirectory folder;
    Keeper keeper{folder.path()};
    const auto refusal = [&](const std::string& needed) {
        EXPECT_EQ(test::message_of<FileError>([&] { keeper(); }), keeper.file().string() + needed);
        fs::remove(keeper.file());
    };
    fs::create_directory(keeper.file());
    refusal(": cannot be read: it is a folder, needs a file");
    ASSERT_EQ(mkfifo(keeper.file().c_str(), 0600), 0);
    refusal(": cannot be read: it is a pipe, needs a file");
    fs::create_symlink("nowhere", keeper.file());
    refusal(": cannot be written: it is a symbolic link to nothing");
    EXPECT_EQ(keeper.measured, 0);
}

TEST(TuningFile, IsNotWrittenWhenMeasuringStops) {
    const test::TemporaryDirectory folder;
    Keeper keeper{folder.path()};
    EXPECT_EQ(keeper(std::nullopt), test_device().tuning());
    EXPECT_EQ(test::files_in(folder.path()), 0u);
}

TEST(Tune, IsOneLineAsTheReadmeHasIt) {
    // Compiled, not called: it would measure for seconds.
    const auto tuned = [] {
#include "readme_tuning.hpp"
        return device.tuning();
    };
    (void)tuned;
}

TEST(Tune, MeasuresAFewTuningsAndGivesItsMemoryBack) {
    Device& device = test_device();
    const VkDeviceSize used = device.memory_use().used;
    std::vector<Tuning> tried;
    const auto note = [&](const TuningTrial& trial) {
        EXPECT_GT(trial.milliseconds, 0);
        EXPECT_LT(trial.milliseconds, 1e4);
        tried.push_back(trial.tuning);
        return true;
    };
    const std::optional<Tuning> fastest =
        detail::fastest_tuning(device, {{2, 8, 16, 16}, {8, 8, 7, 7}}, note);
    ASSERT_TRUE(fastest.has_value());
    EXPECT_THAT(tried, ::testing::Contains(*fastest));
    EXPECT_EQ(tried.front(), device.tuning());
    EXPECT_LE(tried.size(), 14u);
    EXPECT_EQ(device.memory_use().used, used);
}

TEST(Tune, StopsWhereTheObserverWantsTo) {
    int trials = 0;
    const auto enough = [&](const TuningTrial&) { return ++trials < 2; };
    EXPECT_EQ(detail::fastest_tuning(test_device(), {{2, 8, 16, 16}, {8, 8, 7, 7}}, enough), std::nullopt);
    EXPECT_EQ(trials, 2);
}

}  // namespace
}  // namespace vknorm::testing
