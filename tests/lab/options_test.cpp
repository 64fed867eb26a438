// The command line of the Lab: what it takes, and the one line that says why it does not.
#include "app/options.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <vector>

#include "app/experiment/data_file.hpp"
#include "app/experiment/presets.hpp"
#include "app/experiment/share.hpp"

namespace {

using namespace lab;

std::variant<Options, Answer> parse(std::vector<const char*> arguments) {
    return parse_options(arguments);
}

Options accepted(const std::vector<const char*>& arguments) {
    const auto parsed = parse(arguments);
    if (const auto* answer = std::get_if<Answer>(&parsed)) {
        ADD_FAILURE() << answer->text;
        return {};
    }
    return std::get<Options>(parsed);
}

/// The answer to arguments after which the program ends.
Answer answered(const std::vector<const char*>& arguments) {
    const auto parsed = parse(arguments);
    if (const auto* answer = std::get_if<Answer>(&parsed)) return *answer;
    ADD_FAILURE() << "accepted";
    return {};
}

/// Wrong use is one line, exit status 2.
std::string refused(const std::vector<const char*>& arguments) {
    const Answer answer = answered(arguments);
    EXPECT_EQ(answer.status, exit_status::usage);
    EXPECT_EQ(answer.text.find('\n'), std::string::npos) << answer.text;
    return answer.text;
}

TEST(Options, NoneAreTheFirstExperiment) {
    const Options options = accepted({});
    EXPECT_EQ(options.settings, Settings{});
    EXPECT_FALSE(options.headless);
    EXPECT_EQ(options.steps, 1000u);
    EXPECT_EQ(options.out, "out");
}

TEST(Options, EveryOneArrives) {
    const Options options = accepted({"--headless",
                                      "--data",
                                      "circles",
                                      "--steps",
                                      "200",
                                      "--out",
                                      "there",
                                      "--force",
                                      "--device",
                                      "llvm",
                                      "--seed",
                                      "18446744073709551615",
                                      "--batch",
                                      "64",
                                      "--hidden",
                                      "256,128",
                                      "--norm-a",
                                      "none",
                                      "--norm-b",
                                      "ghost,group",
                                      "--groups",
                                      "16",
                                      "--ghost-size",
                                      "32",
                                      "--activation",
                                      "tanh",
                                      "--optimizer",
                                      "adam",
                                      "--lr",
                                      "0.01",
                                      "--momentum",
                                      "0.9",
                                      "--weight-decay",
                                      "1e-4",
                                      "--norm-momentum",
                                      "0.01",
                                      "--epsilon",
                                      "1e-3",
                                      "--noise",
                                      "0.25",
                                      "--shot",
                                      "live.png",
                                      "--size",
                                      "1280x800",
                                      "--plan",
                                      "--theme",
                                      "light",
                                      "--validation"});
    Settings wanted;
    wanted.data = Data::circles;
    wanted.seed = 18446744073709551615u;
    wanted.batch = 64;
    wanted.hidden = {256, 128};
    wanted.twins = {TwinSettings{vknorm::Norm::none, vknorm::Activation::tanh},
                    TwinSettings{vknorm::Norm::ghost, vknorm::Activation::tanh}};
    for (TwinSettings& twin : wanted.twins) {
        twin.groups = 16;
        twin.ghost_size = 32;
    }
    wanted.twins[1].exceptions = {{1, vknorm::Norm::group}};
    wanted.optimizer = OptimizerKind::adam;
    wanted.learning_rate = 0.01f;
    wanted.momentum = 0.9f;
    wanted.weight_decay = 1e-4f;
    wanted.norm_momentum = 0.01f;
    wanted.epsilon = 1e-3f;
    wanted.plan = true;
    wanted.noise = 0.25f;
    EXPECT_EQ(options.settings, wanted);
    EXPECT_TRUE(options.headless && options.force && options.validation &&
                options.theme == ThemeChoice::light);
    EXPECT_EQ(options.steps, 200u);
    EXPECT_EQ(options.out, "there");
    EXPECT_EQ(options.device, "llvm");
    EXPECT_EQ(options.shot, "live.png");
    EXPECT_EQ(options.width, 1280u);
    EXPECT_EQ(options.height, 800u);
}

TEST(Options, ModelsArePicturesOnly) {
    const Settings settings =
        accepted({"--data", "digits", "--model", "preresnet20", "--norm-b", "group"}).settings;
    EXPECT_EQ(settings.model, Model::preresnet20);
    EXPECT_EQ(refused({"--model", "resnet8"}),
              "--model: got 'resnet8', needs pictures: digits, or files of them");
    EXPECT_EQ(refused({"--data", "digits", "--model", "resnet9"}),
              "--model: got 'resnet9', needs one of mlp, classifier, classifier-small, resnet8, resnet20, "
              "preresnet20");
    EXPECT_EQ(refused({"--data", "digits", "--model", "resnet8", "--norm-a", "batch,rms"}),
              "--norm-a: got 'batch,rms', needs one norm for all of resnet8");
    EXPECT_EQ(refused({"--data", "digits", "--model", "resnet8", "--norm-a", "group", "--groups", "3"}),
              "--groups: got '3', needs a divisor of 16, channels of resnet8");
}

TEST(Options, HowStepsGoArrives) {
    const Options options =
        accepted({"--optimizer", "adamw", "--nesterov", "--schedule", "cosine", "--steps", "400", "--warm-up",
                  "20", "--clip", "2.5", "--accumulate", "4", "--label-smoothing", "0.1"});
    Settings wanted;
    wanted.optimizer = OptimizerKind::adamw;
    wanted.nesterov = true;
    wanted.schedule = Schedule::cosine;
    wanted.schedule_steps = 400;
    wanted.warm_up = 20;
    wanted.max_gradient_norm = 2.5f;
    wanted.accumulate = 4;
    wanted.label_smoothing = 0.1f;
    EXPECT_EQ(options.settings, wanted);
    EXPECT_EQ(accepted({"--schedule", "onecycle", "--schedule-steps", "50", "--steps", "60"})
                  .settings.schedule_steps,
              50u);
    EXPECT_EQ(accepted({"--schedule", "step"}).settings.schedule_steps, 1000u);
    EXPECT_EQ(refused({"--schedule", "line"}),
              "--schedule: got 'line', needs one of constant, step, cosine, onecycle");
    EXPECT_EQ(refused({"--accumulate", "65"}), "--accumulate: got '65', needs a whole number from 1 to 64");
    EXPECT_EQ(refused({"--clip", "-1"}), "--clip: got '-1', needs a number from 0 to 100000");
}

TEST(Options, RanksTakeDevicesInTurnAndShareABatch) {
    const Options options =
        accepted({"--headless", "--ranks", "3", "--devices", "llvmpipe,swiftshader", "--batch", "3"});
    EXPECT_EQ(options.ranks, 3u);
    EXPECT_EQ(options.devices, (std::vector<std::string>{"llvmpipe", "swiftshader"}));
    EXPECT_EQ(accepted({}).ranks, 0u);
    EXPECT_EQ(refused({"--ranks", "3"}),
              "--ranks: needs --headless beside it, and neither --experiment nor --sweep");
    EXPECT_EQ(refused({"--headless", "--ranks", "4", "--batch", "3"}),
              "--ranks: got '4', needs at most the 3 examples of a batch");
    EXPECT_EQ(refused({"--headless", "--ranks", "2", "--devices-b", "4"}),
              "--devices-b: got '4', needs 1 beside --ranks");
}

TEST(Options, TuningsAreKeptInTheUsersCache) {
    const auto folder = [](const char* cache, const char* home) {
        setenv("XDG_CACHE_HOME", cache, 1);
        setenv("HOME", home, 1);
        return accepted({"--tune"}).tuning;
    };
    const std::string cache = std::getenv("XDG_CACHE_HOME") ? std::getenv("XDG_CACHE_HOME") : "";
    const std::string home = std::getenv("HOME") ? std::getenv("HOME") : "";
    EXPECT_TRUE(accepted({}).tuning.empty());
    EXPECT_EQ(folder("/cache", "/home/me"), "/cache/vknorm");
    EXPECT_EQ(folder("", "/home/me"), "/home/me/.cache/vknorm");
    EXPECT_EQ(folder("relative", "/home/me"), "/home/me/.cache/vknorm");
    setenv("HOME", "", 1);
    EXPECT_EQ(refused({"--tune"}), "--tune: got nothing, needs HOME or XDG_CACHE_HOME to be set");
    setenv("XDG_CACHE_HOME", cache.c_str(), 1);
    setenv("HOME", home.c_str(), 1);
}

TEST(Options, EveryNormHasAWordAndTheListReadsBack) {
    for (const char* norm : {"none", "batch", "layer", "group", "rms", "renorm", "ghost"}) {
        const Settings settings = accepted({"--norm-a", norm}).settings;
        EXPECT_EQ(norm_text(settings, 0), norm);
        EXPECT_TRUE(settings.twins[0].exceptions.empty());
    }
    const Settings mixed = accepted({"--norm-a", "rms,rms,none,ghost"}).settings;
    EXPECT_EQ(norm_text(mixed, 0), "rms,rms,none,ghost");
    EXPECT_EQ(accepted({"--norm-a", "rms,rms,rms,rms"}).settings, accepted({"--norm-a", "rms"}).settings);
}

TEST(Options, TwinsAreAsManyAsAskedFor) {
    EXPECT_EQ(accepted({"--twins", "1"}).settings.twins, std::vector(1, Settings{}.twins[0]));
    Settings four;
    set_twin_count(four, 4);
    EXPECT_EQ(accepted({"--twins", "4"}).settings, four);
    EXPECT_EQ(accepted({"--norm-b", "rms", "--twins", "2"}).settings.twins[1].norm, vknorm::Norm::rms);
    EXPECT_EQ(refused({"--twins", "0"}), "--twins: got '0', needs a whole number from 1 to 4");
    EXPECT_EQ(refused({"--twins", "5"}), "--twins: got '5', needs a whole number from 1 to 4");

    // All twins have what is not said of one.
    const Settings tanh = accepted({"--activation", "tanh", "--twins", "3", "--groups", "4"}).settings;
    ASSERT_EQ(tanh.twins.size(), 3u);
    for (const TwinSettings& twin : tanh.twins) {
        EXPECT_EQ(twin.activation, vknorm::Activation::tanh);
        EXPECT_EQ(twin.groups, 4u);
    }
    const Settings preset = accepted({"--preset", "covariate", "--twins", "3"}).settings;
    EXPECT_EQ(preset.twins.at(2).activation, vknorm::Activation::sigmoid);
}

TEST(Options, NormOfATwinMakesItUnlessTheNumberIsGiven) {
    Settings wanted;
    set_twin_count(wanted, 3);
    wanted.twins[2].norm = vknorm::Norm::rms;
    EXPECT_EQ(accepted({"--norm-c", "rms"}).settings, wanted);
    EXPECT_EQ(accepted({"--norm-c", "rms", "--twins", "3"}).settings, wanted);
    const Settings four = accepted({"--norm-d", "ghost,none,none,none"}).settings;
    ASSERT_EQ(four.twins.size(), 4u);
    EXPECT_EQ(norm_text(four, 2), "layer");
    EXPECT_EQ(norm_text(four, 3), "ghost,none,none,none");
    EXPECT_EQ(refused({"--twins", "2", "--norm-c", "rms"}), "--norm-c: got 'rms', needs --twins 3 or more");
    EXPECT_EQ(refused({"--norm-b", "rms", "--twins", "1"}), "--norm-b: got 'rms', needs --twins 2 or more");
    EXPECT_NE(refused({"--norm-e", "rms"}).find("unknown option"), std::string::npos);
}

TEST(Options, EveryFlagOfATwinNamesIt) {
    for (const char* norm : {"a", "b", "c", "d"}) {
        const std::string flag = std::string("--norm-") + norm;
        EXPECT_EQ(refused({flag.c_str(), "batch,rms", "--hidden", "8,8,8"}),
                  flag + ": got 'batch,rms', needs one norm, or one for each of 3 hidden layers");
    }
}

TEST(Options, GroupsMustDivideTheUnitsOfLayersThatHaveThem) {
    EXPECT_EQ(refused({"--norm-b", "layer,group", "--hidden", "20,30"}),
              "--groups: got '8', needs a divisor of the 30 units of hidden layer 2");
    EXPECT_EQ(refused({"--norm-a", "group", "--groups", "5"}),
              "--groups: got '5', needs a divisor of the 48 units of hidden layer 1");
    accepted({"--norm-b", "layer,group", "--hidden", "20,30", "--groups", "6"});
    accepted({"--hidden", "7"});
    EXPECT_EQ(refused({"--norm-a", "renorm", "--epsilon", "0"}),
              "--epsilon: got '0', needs more with BatchRenorm");
}

TEST(Options, PicturesPreferAWiderNetworkUnlessToldOtherwise) {
    const Options digits = accepted({"--data", "digits"});
    EXPECT_EQ(digits.settings.hidden, (std::vector<uint32_t>{256, 128}));
    EXPECT_EQ(digits.settings.batch, 128u);
    EXPECT_EQ(digits.settings.learning_rate, 0.3f);

    const std::string folder = "idx:" + std::filesystem::temp_directory_path().string();
    const Options idx = accepted({"--batch", "16", "--data", folder.c_str()});
    EXPECT_EQ(idx.settings.data, Data::file);
    EXPECT_EQ(idx.settings.data_file, folder);
    EXPECT_EQ(idx.settings.hidden, (std::vector<uint32_t>{256, 128}));
    EXPECT_EQ(idx.settings.batch, 16u) << "an explicit argument wins wherever it stands";
}

TEST(Options, ChoiceOfASetOrColumnStandsBehindTheName) {
    const std::string folder = "idx:" + std::filesystem::temp_directory_path().string() + "#letters";
    EXPECT_EQ(accepted({"--data", folder.c_str()}).settings.data_file, folder);
    const auto parsed = parse_data_file("csv:a#b.csv#label");
    ASSERT_TRUE(parsed);
    EXPECT_STREQ(parsed->format->word, "csv");
    EXPECT_EQ(parsed->path, "a#b.csv");
    EXPECT_EQ(parsed->choice, "label");
    EXPECT_EQ(parse_data_file("idx:there")->choice, "");
    EXPECT_FALSE(parse_data_file("spiral"));
    EXPECT_EQ(
        refused({"--data", "idx:/no/such/folder#letters"}),
        "--data: got 'idx:/no/such/folder#letters', needs a directory with a pair of IDX files after idx:");
    EXPECT_EQ(accepted({"--max-bytes", "4294967296"}).settings.max_bytes, uint64_t{1} << 32);
}

TEST(Options, BatchThatIsGivenIsKnown) {
    EXPECT_FALSE(accepted({"--data", "digits"}).batch_given);
    EXPECT_FALSE(accepted({"--preset", "covariate"}).batch_given);
    EXPECT_TRUE(accepted({"--data", "digits", "--batch", "128"}).batch_given);
}

TEST(Options, PresetIsFoundByAPartOfItsName) {
    for (const Preset& preset : presets())
        EXPECT_EQ(accepted({"--preset", preset.name}).settings, preset.settings) << preset.name;
    Settings shifted = accepted({"--preset", "covariate"}).settings;
    EXPECT_EQ(shifted.hidden, (std::vector<uint32_t>{100, 100, 100}));

    shifted.data = Data::spiral;
    shifted.learning_rate = 0.5f;
    EXPECT_EQ(accepted({"--lr", "0.5", "--data", "spiral", "--preset", "COVARIATE"}).settings, shifted);
    EXPECT_EQ(refused({"--preset", "no such"}),
              "--preset: got 'no such', needs a part of one name that --list-presets prints");
    EXPECT_NE(refused({"--preset", ","}), "") << "in several names";
}

TEST(Options, WrongNumbersAreRefusedWithTheirRange) {
    EXPECT_EQ(refused({"--steps", "3x"}), "--steps: got '3x', needs a whole number from 1 to 1000000000");
    EXPECT_EQ(refused({"--steps", "2.5"}), "--steps: got '2.5', needs a whole number from 1 to 1000000000");
    EXPECT_EQ(refused({"--steps", "0"}), "--steps: got '0', needs a whole number from 1 to 1000000000");
    EXPECT_EQ(refused({"--batch", "-1"}), "--batch: got '-1', needs a whole number from 1 to 256");
    EXPECT_EQ(refused({"--lr", "nan"}), "--lr: got 'nan', needs a number from 0.0001 to 10");
    EXPECT_EQ(refused({"--lr=1e400"}), "--lr: got '1e400', needs a number from 0.0001 to 10");
    EXPECT_EQ(refused({"--lr", ""}), "--lr: got nothing, needs a number from 0.0001 to 10");
    EXPECT_EQ(refused({"--lr", " 1"}), "--lr: got ' 1', needs a number from 0.0001 to 10");
    EXPECT_EQ(refused({"--norm-momentum", "1.5"}), "--norm-momentum: got '1.5', needs a number from 0 to 1");
    EXPECT_EQ(refused({"--seed", "18446744073709551616"}),
              "--seed: got '18446744073709551616', needs a whole number from 0 to 18446744073709551615");
    EXPECT_EQ(refused({"--hidden", "256,,128"}), "--hidden: got nothing, needs a whole number from 1 to 512");
    EXPECT_EQ(refused({"--hidden", "1,1,1,1,1,1,1,1,1,1,1"}),
              "--hidden: got '1,1,1,1,1,1,1,1,1,1,1', needs 1 to 10 layers");
    EXPECT_EQ(refused({"--size", "1600"}), "--size: got '1600', needs WIDTHxHEIGHT, such as 1600x1000");
    EXPECT_EQ(refused({"--size", "1600x9"}), "--size: got '9', needs a whole number from 200 to 8192");
}

TEST(Options, WrongWordsAreRefusedWithTheRightOnes) {
    EXPECT_EQ(refused({"--norm-a", "instance"}),
              "--norm-a: got 'instance', needs one of none, batch, layer, group, rms, renorm, ghost");
    EXPECT_EQ(refused({"--norm-b", "batch,"}),
              "--norm-b: got 'batch,', needs one norm, or one for each of 4 hidden layers");
    EXPECT_EQ(refused({"--norm-b", "batch,rms", "--hidden", "8,8,8"}),
              "--norm-b: got 'batch,rms', needs one norm, or one for each of 3 hidden layers");
    EXPECT_EQ(refused({"--norm-a", "batch,,rms,none"}),
              "--norm-a: got nothing, needs one of none, batch, layer, group, rms, renorm, ghost");
    EXPECT_EQ(refused({"--activation", "Relu"}),
              "--activation: got 'Relu', needs one of identity, relu, tanh, sigmoid");
    EXPECT_EQ(refused({"--data", "mnist"}),
              "--data: got 'mnist', needs one of spiral, circles, moons, xor, gaussians, rings, digits, "
              "shapes, idx:DIR, cifar:DIR, images:DIR, npy:DIR, npz:FILE, csv:FILE");
    EXPECT_EQ(refused({"--data", "idx:/no/such/folder"}),
              "--data: got 'idx:/no/such/folder', needs a directory with a pair of IDX files after idx:");
    EXPECT_EQ(refused({"--data", "csv:/no/such.csv"}),
              "--data: got 'csv:/no/such.csv', needs a file with a table of numbers after csv:");
}

TEST(Options, UnknownOptionSuggestsTheNearest) {
    EXPECT_EQ(refused({"--step", "3"}), "unknown option '--step': did you mean --steps?");
    EXPECT_EQ(refused({"--headles"}), "unknown option '--headles': did you mean --headless?");
    EXPECT_EQ(refused({"--momentun=0.5"}), "unknown option '--momentun': did you mean --momentum?");
    EXPECT_EQ(refused({"--bogus"}), "unknown option '--bogus': --help lists them") << "none is near";
    EXPECT_EQ(refused({"-"}), "unknown option '-': --help lists them");
    EXPECT_EQ(refused({"spiral"}), "unexpected argument 'spiral'");
    refused({"--steps"});
    refused({"-x"});
}

TEST(Options, ExperimentsAreFoundByName) {
    const Options options = accepted({"--experiment", "depth", "--fast"});
    EXPECT_EQ(options.experiment, find_experiment("depth"));
    EXPECT_TRUE(options.fast);
    EXPECT_EQ(refused({"--experiment", "dept"})
                  .find("--experiment: got 'dept', needs a name that "
                        "--list-experiments prints, such as depth, "),
              0u);
    EXPECT_NE(refused({"--fast"}), "") << "of what?";
}

TEST(Options, TheCommandLineIsKeptAsAShellTakesIt) {
    EXPECT_EQ(accepted({}).command_line, "vknorm-lab");
    EXPECT_EQ(accepted({"--lr", "0.1", "--out", "my folder", "--device", "it's"}).command_line,
              "vknorm-lab --lr 0.1 --out 'my folder' --device 'it'\\''s'");
}

TEST(Options, HelpVersionAndPresetsArePrinted) {
    const Answer help = answered({"--help"});
    EXPECT_EQ(help.status, exit_status::ok);
    for (const char* flag : {"--preset NAME",
                             "--data spiral|circles|moons|xor|gaussians|rings|digits|shapes|idx:DIR[#SET]|"
                             "cifar:DIR[#10|100|coarse]|images:DIR[#HEIGHTxWIDTH]|npy:DIR[#first|last]|npz:"
                             "FILE[#first|last]|csv:FILE[#COLUMN]",
                             "--max-bytes NUMBER",
                             "--noise NUMBER",
                             "--hidden N,N,...",
                             "--twins NUMBER",
                             "--norm-a none|batch|layer|group|rms|renorm|ghost",
                             "--norm-d none|batch",
                             "--groups NUMBER",
                             "--ghost-size NUMBER",
                             "--activation identity|relu|tanh|sigmoid",
                             "--batch NUMBER",
                             "--seed NUMBER",
                             "--optimizer sgd|adam",
                             "--lr NUMBER",
                             "--momentum NUMBER",
                             "--weight-decay NUMBER",
                             "--norm-momentum NUMBER",
                             "--epsilon NUMBER",
                             "--headless",
                             "--steps NUMBER",
                             "--size WxH",
                             "--theme dark|light|projector",
                             "--smoothing off|light|strong",
                             "--distributions",
                             "--plan"})
        EXPECT_NE(help.text.find(flag), std::string::npos) << flag;
    EXPECT_EQ(help.text.find("--statistics"), std::string::npos) << "for the controls only";
    EXPECT_NE(help.text.find("evaluated every 5 steps up to step 100"), std::string::npos);
    EXPECT_EQ(answered({"--version"}).text.find("vknorm-lab "), 0u);
    EXPECT_NE(answered({"--list-presets"}).text.find("Covariate shift"), std::string::npos);
    EXPECT_NE(answered({"--list-experiments"}).text.find("covariate-shift  "), std::string::npos);
}

TEST(Options, EventsAreOfARunWithoutAWindow) {
    EXPECT_EQ(accepted({"--headless", "--tensorboard", "events"}).tensorboard, "events");
    EXPECT_EQ(refused({"--tensorboard", "events"}),
              "--tensorboard: needs --headless beside it, and neither --experiment nor --sweep");
}

TEST(Options, AShareStringIsWhereOthersBegin) {
    const std::string given =
        "vknorm:data=digits&hidden=64&norm-b=group&schedule=cosine&schedule-steps=500&end";
    const Options options =
        accepted({"--lr", "0.1", "--share", given.c_str(), "--norm-b", "layer", "--steps", "2000"});
    EXPECT_EQ(share_string(options.settings),
              "vknorm:data=digits&hidden=64&norm-b=layer&lr=0.1&schedule=cosine&schedule-steps=500&end");
    const Settings moved = accepted({"--share", given.c_str(), "--data", "shapes"}).settings;
    EXPECT_EQ(moved.hidden, std::vector<uint32_t>{64}) << "what data would prefer is not asked";
    EXPECT_EQ(refused({"--share", "vknorm:noise=0.9&end"}),
              "--share: noise: got '0.9', needs a number from 0 to 0.5");
    EXPECT_EQ(refused({"--share", "vknorm:batch=64"}),
              "--share: got 'batch=64', needs &end behind it: the string was cut short");
    EXPECT_FALSE(refused({"--share", given.c_str(), "--preset", "Depth"}).empty());
    EXPECT_EQ(share_string(accepted({"--hide", "norm-b,optimizer"}).settings),
              "vknorm:hide=norm-b,optimizer&end");
    EXPECT_EQ(refused({"--hide", "norm-b,optimiser"}),
              "--hide: got 'optimiser', needs words of settings such as batch or norm-b, or presets, or "
              "experiments");
}

}  // namespace
