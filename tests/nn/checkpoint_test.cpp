// Networks in files: what a run goes on from, and what PyTorch reads and writes.
#include "vknorm/checkpoint.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <sys/wait.h>

#include "nn/network_problem.hpp"
#include "support/data_files.hpp"
#include "support/places.hpp"

namespace vknorm::testing {
namespace {

namespace fs = std::filesystem;
using reference::Labelled;
using test::message_of;
using test::TemporaryDirectory;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const fs::path golden = testing::project_file("tests/golden");

/// The perceptron of tests/golden/make_state_dict.py.
NetworkOptions golden_options(Norm norm = Norm::batch) {
    return {.inputs = 6, .hidden = {{5, norm}, {4, norm}}, .classes = 3, .max_batch = 16, .seed = 3};
}

Ticket step(Network& network, const Labelled& batch) {
    return network.train_step(batch.inputs, batch.labels);
}

HostTensor floats(TensorShape shape, const std::vector<float>& values, Dtype dtype = Dtype::f32) {
    return {std::move(shape), std::span(values), dtype};
}

HostTensor doubles(const TensorShape& shape, const std::vector<double>& values) {
    HostTensor tensor;
    tensor.dtype = Dtype::f64;
    tensor.shape = shape;
    const auto bytes = std::as_bytes(std::span(values));
    tensor.bytes.assign(bytes.begin(), bytes.end());
    return tensor;
}

HostTensor integer(int64_t value) {
    return {{}, std::span<const int64_t>(&value, 1)};
}

using Bits = std::map<std::string, std::vector<std::byte>>;
Bits bits_of(Network& network) {
    Bits bits;
    for (const auto& [name, tensor] : network.state()) bits[name] = tensor.bytes;
    return bits;
}

TEST(Checkpoint, AResumedRunHasTheBitsOfAnUnbrokenOne) {
    const TemporaryDirectory folder;
    const fs::path file = folder.path() / "run.safetensors";
    constexpr uint64_t saved_at = 7, steps = 15;
    const Optimizer momentum = Sgd{.momentum = 0.9f}, adam = Adam{.weight_decay = 0.01f};
    const std::pair<Norm, Optimizer> runs[] = {{Norm::batch, Sgd{}}, {Norm::batch, momentum},
                                               {Norm::batch, adam},  {Norm::batch_renorm, momentum},
                                               {Norm::ghost, adam},  {Norm::layer, adam}};
    for (const auto& run : runs) {
        const Norm norm = run.first;
        const Optimizer& optimizer = run.second;
        SCOPED_TRACE(std::string(name(norm)) + ", optimizer " + std::to_string(optimizer.index()));
        std::mt19937_64 random = random_generator();
        NetworkOptions options = golden_options(norm);
        options.renorm = [](uint64_t step) { return paper_schedule(2000 * step); };
        const Labelled all = random_batch(random, options, 50);
        const Dataset data{.features = 6, .classes = 3, .inputs = all.inputs, .labels = all.labels};
        const auto train = [&](Network& network, BatchOrder& order, uint64_t end) {
            std::vector<float> losses;
            while (network.steps() < end) {
                Labelled batch = take(data, order);
                // A batch whose statistics are refused.
                if (network.steps() == 2 && keeps_running_statistics(norm))
                    for (float& input : batch.inputs) input *= 1e25f;
                const StepResult result = network.result(step(network, batch));
                losses.push_back(result.loss);
                losses.push_back(static_cast<float>(result.refused_batches));
            }
            return losses;
        };
        Network unbroken(test_device(), options);
        unbroken.set_optimizer(optimizer);
        BatchOrder order(data.size(), 12, 5);
        train(unbroken, order, saved_at);
        save_checkpoint(unbroken, file, {.beside = {{"training/mine/batches", integer(order.taken())}}});

        options.seed = 99;
        Network resumed(test_device(), options);
        resumed.set_optimizer(optimizer);
        const Safetensors rest = load_checkpoint(resumed, file);
        ASSERT_EQ(rest.tensors.size(), 1u);
        BatchOrder continued(data.size(), 12, 5);
        continued.seek(rest.tensors.at("training/mine/batches").integers().at(0));
        EXPECT_EQ(resumed.steps(), saved_at);
        EXPECT_EQ(bits_of(resumed), bits_of(unbroken));
        EXPECT_EQ(train(resumed, continued, steps), train(unbroken, order, steps));
        EXPECT_EQ(bits_of(resumed), bits_of(unbroken));
    }
    std::printf("resumed and unbroken runs: same bits\n");
}

TEST(Checkpoint, StateInMemoryIsSetAgain) {
    std::mt19937_64 random = random_generator();
    Network network(test_device(), golden_options());
    network.set_optimizer(Adam{});
    const Labelled batch = random_batch(random, golden_options(), 16);
    (void)step(network, batch);
    const HostTensors best = network.state();
    const float loss = network.result(step(network, batch)).loss;
    const Bits after = bits_of(network);
    network.set_state(best);
    EXPECT_EQ(network.steps(), 1u);
    EXPECT_EQ(network.result(step(network, batch)).loss, loss);
    EXPECT_EQ(bits_of(network), after);
}

TEST(Checkpoint, FileIsAStateDictWithMoreBesideIt) {
    const TemporaryDirectory folder;
    const fs::path file = folder.path() / "run.safetensors";
    Network network(test_device(), golden_options());
    network.set_counter("0.norm.num_batches_tracked", (int64_t{1} << 53) + 1);
    save_checkpoint(network, file, {.training = false, .metadata = {{"note", "mine"}}});
    const Safetensors plain = read_safetensors(file);
    EXPECT_EQ(plain.metadata, (std::map<std::string, std::string>{{"format", "pt"}, {"note", "mine"}}));
    std::map<std::string, std::string> got;
    for (const auto& [name, tensor] : plain.tensors)
        got[name] = name_of(tensor.dtype) + (" " + shape_text(tensor.shape));
    EXPECT_EQ(got, (std::map<std::string, std::string>{{"0.linear.weight", "F32 (5, 6)"},
                                                       {"0.linear.bias", "F32 (5)"},
                                                       {"0.norm.weight", "F32 (5)"},
                                                       {"0.norm.bias", "F32 (5)"},
                                                       {"0.norm.running_mean", "F32 (5)"},
                                                       {"0.norm.running_var", "F32 (5)"},
                                                       {"0.norm.num_batches_tracked", "I64 ()"},
                                                       {"1.linear.weight", "F32 (4, 5)"},
                                                       {"1.linear.bias", "F32 (4)"},
                                                       {"1.norm.weight", "F32 (4)"},
                                                       {"1.norm.bias", "F32 (4)"},
                                                       {"1.norm.running_mean", "F32 (4)"},
                                                       {"1.norm.running_var", "F32 (4)"},
                                                       {"1.norm.num_batches_tracked", "I64 ()"},
                                                       {"output.weight", "F32 (3, 4)"},
                                                       {"output.bias", "F32 (3)"}}));
    EXPECT_EQ(plain.tensors.at("0.norm.num_batches_tracked").integers().at(0), (int64_t{1} << 53) + 1);

    network.set_optimizer(Sgd{.momentum = 0.5f});
    save_checkpoint(network, file);
    HostTensors all = read_safetensors(file).tensors;
    std::erase_if(all, [](const auto& tensor) { return tensor.first.starts_with("training/"); });
    EXPECT_EQ(all.size(), plain.tensors.size());
    EXPECT_EQ(read_safetensors(file).tensors.size(), plain.tensors.size() + 3 + 10) << "counts, one moment";
    EXPECT_EQ(read_safetensors(file).tensors.at("training/optimizer/first_moment/output.weight").shape,
              (TensorShape{3, 4}));
}

TEST(Checkpoint, MapsHaveTheShapesOfPyTorch) {
    const TemporaryDirectory folder;
    const fs::path file = folder.path() / "maps.safetensors";
    Graph graph({2, 5, 4});
    NodeId x = graph.conv2d(graph.input(), {.channels = 3, .kernel = 3, .padding = 1, .name = "conv"});
    x = graph.norm(graph.norm(x, {.name = "bn"}), {.kind = Norm::layer, .name = "ln"});
    graph.linear(graph.flatten(x), {.units = 2, .name = "output"});
    Network network(test_device(), graph, {.seed = 1}), other(test_device(), graph, {.seed = 2});
    save_checkpoint(network, file);
    const HostTensors saved = read_safetensors(file).tensors;
    EXPECT_EQ(saved.at("conv.weight").shape, (TensorShape{3, 2, 3, 3}));
    EXPECT_EQ(saved.at("bn.weight").shape, TensorShape{3});
    EXPECT_EQ(saved.at("ln.weight").shape, (TensorShape{3, 5, 4}));
    load_checkpoint(other, file);
    EXPECT_EQ(bits_of(other), bits_of(network));
}

/// As PyTorch would load it, with what its model gives.
TEST(Checkpoint, StateDictOfPyTorchIsRead) {
    const Safetensors outputs = read_safetensors(golden / "perceptron_outputs.safetensors");
    const std::vector<float> inputs = outputs.tensors.at("inputs").floats(),
                             expected = outputs.tensors.at("probabilities").floats();
    Network network(test_device(), golden_options());
    EXPECT_TRUE(load_checkpoint(network, golden / "perceptron.safetensors").tensors.empty());
    EXPECT_EQ(network.counter("1.norm.num_batches_tracked"), 60);
    EXPECT_EQ(network.steps(), 0u);
    const std::vector<float> got = network.predict(inputs, Statistics::running);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6) << i;
}

TEST(Checkpoint, NamesAndTypesAreMapped) {
    const TemporaryDirectory folder;
    const fs::path file = folder.path() / "named.safetensors";
    const HostTensors sequential = read_safetensors(golden / "perceptron.safetensors").tensors;
    Network network(test_device(), golden_options()), expected(test_device(), golden_options());
    (void)load_checkpoint(expected, golden / "perceptron.safetensors");

    // Under other numbers, as of a Sequential with Dropout in it, and no name before them.
    HostTensors moved;
    for (const auto& [name, tensor] : sequential)
        moved[std::to_string(10 * (name[7] - '0') + 3) + name.substr(8)] = tensor;
    write_safetensors(file, {moved});
    (void)load_checkpoint(network, file);
    EXPECT_EQ(bits_of(network), bits_of(expected));

    // A table, and a tensor that is left out.
    const std::map<std::string, std::string> table = {
        {"0", "0.linear"}, {"1", "0.norm"}, {"3", "1.linear"}, {"4", "1.norm"}, {"6", "output"}};
    HostTensors more = sequential;
    more["layers.9.weight"] = floats({2}, {1, 2});
    write_safetensors(file, {more});
    Network mapped(test_device(), golden_options());
    (void)load_checkpoint(mapped, file, {.rename = [&](const std::string& name) {
                              const auto node = table.find(name.substr(7, 1));
                              return node == table.end() ? "" : node->second + name.substr(8);
                          }});
    EXPECT_EQ(bits_of(mapped), bits_of(expected));

    for (const Dtype dtype : {Dtype::f16, Dtype::bf16, Dtype::f64}) {
        SCOPED_TRACE(name_of(dtype));
        HostTensors typed = sequential;
        std::map<std::string, std::vector<float>> rounded;
        for (auto& [name, tensor] : typed) {
            if (tensor.dtype == Dtype::i64) continue;
            const std::vector<float> values = tensor.floats();
            tensor = dtype == Dtype::f64 ? doubles(tensor.shape, {values.begin(), values.end()})
                                         : floats(tensor.shape, values, dtype);
            rounded[name] = tensor.floats();
        }
        write_safetensors(file, {typed});
        (void)load_checkpoint(network, file);
        EXPECT_EQ(network.tensor("1.norm.running_var"), rounded.at("layers.4.running_var"));
        EXPECT_EQ(network.tensor("output.weight"), rounded.at("layers.6.weight"));
    }
}

TEST(Checkpoint, WhatIsWrongIsListedAndNothingChanges) {
    const TemporaryDirectory folder;
    const fs::path file = folder.path() / "wrong.safetensors";
    std::mt19937_64 random = random_generator();
    Network network(test_device(), golden_options());
    network.set_optimizer(Sgd{.momentum = 0.9f});
    (void)step(network, random_batch(random, golden_options(), 16));
    const Bits before = bits_of(network);
    const HostTensors good = network.state();
    const auto refused = [&](const std::function<void(HostTensors&)>& spoil,
                             const LoadOptions& options = {}) {
        HostTensors state = good;
        spoil(state);
        write_safetensors(file, {state});
        std::string message = message_of<FormatError>([&] { (void)load_checkpoint(network, file, options); });
        EXPECT_TRUE(message.starts_with(file.string() + ": ")) << message;
        EXPECT_EQ(bits_of(network), before);
        return message.substr(std::min(message.size(), file.string().size() + 2));
    };
    EXPECT_EQ(refused([](HostTensors& state) {
                  state.erase("0.norm.bias");
                  state.erase("output.weight");
                  state["extra"] = floats({1}, {0});
                  state["0.linear.weight"] = floats({6, 5}, std::vector<float>(30));
                  state["1.norm.num_batches_tracked"] = floats({}, {3});
              }),
              "network.set_state: missing 0.norm.bias, output.weight; unexpected extra; 0.linear.weight: got "
              "F32 (6, 5), "
              "needs F32, F64, F16 or BF16 (5, 6), 1.norm.num_batches_tracked: got F32 (), needs I64 ()");
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(refused([](HostTensors& state) {
                  state["1.norm.weight"] = floats({4}, {1, nan, 1, 1});
              }),
              "network.set_state: 1.norm.weight[1]: got nan, needs a finite number");
    EXPECT_EQ(refused([](HostTensors& state) {
                  state["1.norm.running_var"] = floats({4}, {1, 1, 1, -1});
              }),
              "network.set_state: 1.norm.running_var[3]: got -1.000000, needs a finite number from 0 on");
    EXPECT_THAT(refused([](HostTensors& state) {
                    state["1.norm.weight"] = doubles({4}, {1, 1e300, 1, 1});
                }),
                HasSubstr("1.norm.weight[1]: got inf"));
    EXPECT_THAT(refused([](HostTensors& state) { state["0.norm.num_batches_tracked"] = integer(-1); }),
                HasSubstr("0.norm.num_batches_tracked: got -1, needs an integer from 0"));
    EXPECT_THAT(
        refused([](HostTensors& state) { state["training/refused_batches"] = integer(int64_t{1} << 32); }),
        HasSubstr("training/refused_batches: got 4294967296, needs an integer from 0 to 4294967295"));
    EXPECT_THAT(refused([](HostTensors& state) { state.erase("training/steps"); }),
                AllOf(HasSubstr("missing training/steps"), Not(HasSubstr("set_optimizer"))));
    EXPECT_THAT(refused([](HostTensors& state) {
                    state["training/optimizer/second_moment/output.bias"] = floats({3}, {0, 0, 0});
                }),
                HasSubstr("unexpected training/optimizer/second_moment/output.bias; set_optimizer()"));
    EXPECT_THAT(refused([](HostTensors&) {}, {.rename = [](const std::string&) { return "output.bias"; }}),
                HasSubstr("got the name output.bias a second time"));

    // A size that no memory has is refused by the header alone.
    const std::string header =
        R"({"0.linear.weight":{"dtype":"F32","shape":[200000000],"data_offsets":[0,800000000]}})";
    const uint64_t length = header.size();
    write_file(file, std::string(reinterpret_cast<const char*>(&length), sizeof length) + header);
    fs::resize_file(file, 8 + length + 800000000);
    EXPECT_THAT(message_of<FormatError>([&] { (void)load_checkpoint(network, file); }),
                HasSubstr("0.linear.weight: got F32 (200000000), needs"));
    fs::resize_file(file, 7);
    EXPECT_THAT(message_of<FormatError>([&] { (void)load_checkpoint(network, file); }),
                HasSubstr("got 7 bytes, needs at least 8"));
    EXPECT_THROW((void)load_checkpoint(network, folder.path() / "none"), FileError);
    EXPECT_EQ(bits_of(network), before);

    // The optimizer's state is for that optimizer, and may be left out.
    write_safetensors(file, {good});
    Network other(test_device(), golden_options());
    EXPECT_THAT(message_of<FormatError>([&] { (void)load_checkpoint(other, file); }),
                HasSubstr("unexpected training/optimizer/first_moment/0.linear.bias"));
    (void)load_checkpoint(other, file, {.training = false});
    EXPECT_EQ(other.steps(), 0u);
    EXPECT_EQ(contents_of(other), contents_of(network));
}

TEST(Checkpoint, NamesThatAreNotToBeHadAreRefused) {
    const TemporaryDirectory folder;
    const fs::path file = folder.path() / "run.safetensors";
    Network network(test_device(), golden_options());
    for (const char* name : {"mine", "training/steps", "training/optimizer/mine", "output.bias"})
        EXPECT_THAT(message_of<std::invalid_argument>([&] {
                        save_checkpoint(network, file, {.beside = {{name, integer(1)}}});
                    }),
                    HasSubstr(std::string("save_checkpoint: beside: got the name ") + name));
    Graph graph({2});
    graph.linear(graph.input(), {.units = 2, .name = "training/x"});
    Network unlucky(test_device(), graph);
    EXPECT_THAT(message_of<std::invalid_argument>([&] { save_checkpoint(unlucky, file); }),
                HasSubstr("network.state: graph: got a node whose tensor is \"training/x.weight\""));
    EXPECT_FALSE(fs::exists(file));
}

TEST(Checkpoint, OfADivergedRunIsTheStateBefore) {
    const TemporaryDirectory folder;
    const fs::path file = folder.path() / "run.safetensors";
    std::mt19937_64 random = random_generator();
    const Labelled good = random_batch(random, golden_options(), 16);
    Labelled bad = good;
    bad.inputs[3] = std::numeric_limits<float>::quiet_NaN();
    Network sound(test_device(), golden_options()), network(test_device(), golden_options());
    for (Network* each : {&sound, &network}) {
        each->set_optimizer(Adam{});
        (void)step(*each, good);
    }
    (void)step(network, bad);
    save_checkpoint(network, file);
    EXPECT_EQ(network.state().at("training/optimizer/steps").integers().at(0), 1);
    EXPECT_THROW((void)step(network, good), Diverged) << "to save does not mend";
    (void)load_checkpoint(network, file);
    EXPECT_EQ(network.result(step(network, good)).loss, sound.result(step(sound, good)).loss);
    EXPECT_EQ(contents_of(network), contents_of(sound));
}

/// Where this machine has it.
TEST(Checkpoint, PyTorchTakesItAndGivesItBack) {
    const TemporaryDirectory folder;
    std::mt19937_64 random = random_generator();
    Network network(test_device(), golden_options());
    network.set_optimizer(Sgd{.learning_rate = 0.1f});
    const Labelled batch = random_batch(random, golden_options(), 16);
    for (int i = 0; i < 3; ++i) (void)step(network, batch);
    save_checkpoint(network, folder.path() / "saved.safetensors");
    write_safetensors(folder.path() / "inputs.safetensors",
                      {{{"inputs", floats({16, 6}, batch.inputs)},
                        {"labels", floats({16}, {batch.labels.begin(), batch.labels.end()})}}});
    constexpr int no_torch = 77;
    int status = no_torch;
    for (const char* const python : {"python3", "/usr/bin/python3"}) {
        const std::string command = std::string(python) + " -B '" +
                                    (golden / "checkpoint_torch.py").string() + "' '" +
                                    folder.path().string() + "'";
        status = WEXITSTATUS(std::system(command.c_str()));
        if (status == 0) break;
    }
    if (status == no_torch || status == 127) GTEST_SKIP() << "this python3 cannot import torch";
    ASSERT_EQ(status, 0);
    const HostTensors results = read_safetensors(folder.path() / "torch.safetensors").tensors;
    const auto compare = [&](const char* name) {
        const std::vector<float> expected = results.at(name).floats(),
                                 got = network.predict(batch.inputs, Statistics::running);
        for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-5) << name << " " << i;
    };
    compare("loaded");
    (void)load_checkpoint(network, folder.path() / "state_dict.safetensors");
    EXPECT_EQ(network.counter("0.norm.num_batches_tracked"), 4);
    compare("trained");
}

}  // namespace
}  // namespace vknorm::testing
