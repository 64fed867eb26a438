// oneDNN 2 as a peer of vknorm-bench, which starts this and asks for one call at a time: see peer.hpp.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <dnnl.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>

namespace {

using nlohmann::json;
using Tag = dnnl::memory::format_tag;
using Arguments = std::unordered_map<int, dnnl::memory>;

constexpr float epsilon = 1e-5f;

/// Of all tensors of one kind, whatever their shape; grows.
class Floats {
  public:
    float* of(size_t count) {
        if (count > count_) {
            values_.reset(
                static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64)));
            if (!values_) throw std::bad_alloc();
            for (size_t i = 0; i < count; ++i) values_.get()[i] = static_cast<float>(i % 4093) / 1023 - 1.5f;
            count_ = count;
        }
        return values_.get();
    }

  private:
    struct Free {
        void operator()(float* values) const { std::free(values); }
    };
    std::unique_ptr<float, Free> values_;
    size_t count_ = 0;
};

struct Pool {
    Floats x, dy, out;
};

/// One way to do a case, on one set of tensors after the other.
class Contestant {
  public:
    /// `layout` has the channels second, as all shapes of oneDNN.
    Contestant(const dnnl::engine& engine, const json& request, const std::string& direction,
               const dnnl::memory::dims& shape, Tag layout, Pool& pool)
        : engine_(engine), stream_(engine), backward_(direction == "backward"), pool_(pool) {
        const dnnl::memory::desc tensor(shape, dnnl::memory::data_type::f32, layout);
        elements_ = tensor.get_size() / sizeof(float);
        sets_ = request.at("rotation_bytes").get<size_t>() / tensor.get_size() + 1;
        tensor_ = tensor;
        if (request.at("operation") == "layer_norm")
            make_layer_norm(shape.back());
        else
            make_batch_norm(shape[1], direction, request.at("operation") == "batch_norm_relu");
        pool.x.of(sets_ * elements_);
        pool.dy.of(sets_ * elements_);
        pool.out.of(sets_ * elements_);
        if (backward_) forward_.execute(stream_, with_tensors(DNNL_ARG_SRC, DNNL_ARG_DST));
        stream_.wait();
    }

    json run() {
        const Arguments arguments = backward_ ? with_tensors(DNNL_ARG_SRC, DNNL_ARG_DIFF_SRC)
                                              : with_tensors(DNNL_ARG_SRC, DNNL_ARG_DST);
        const std::clock_t cpu = std::clock();
        const auto start = std::chrono::steady_clock::now();
        (backward_ ? backward_pass_ : forward_).execute(stream_, arguments);
        stream_.wait();
        const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
        turn_ = (turn_ + 1) % sets_;
        return {{"ms", time.count()},
                {"cpu_ms", 1e3 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC}};
    }

  private:
    void add(int argument, const dnnl::memory::desc& what, float value = 0.5f) {
        dnnl::memory memory(what, engine_);
        if (what.data_type() == dnnl::memory::data_type::f32)
            std::fill_n(static_cast<float*>(memory.get_data_handle()), what.get_size() / sizeof(float),
                        value);
        arguments_.emplace(argument, memory);
    }

    template <class Forward>
    void add_statistics(const Forward& forward, dnnl::memory::dim parameters) {
        add(DNNL_ARG_MEAN, forward.mean_desc());
        add(DNNL_ARG_VARIANCE, forward.variance_desc());
        const dnnl::memory::desc vector({parameters}, dnnl::memory::data_type::f32, Tag::a);
        for (const int argument : {DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT})
            add(argument, vector);
    }

    void make_batch_norm(dnnl::memory::dim channels, const std::string& direction, bool relu) {
        using dnnl::normalization_flags;
        normalization_flags flags = normalization_flags::use_scale | normalization_flags::use_shift;
        if (relu) flags |= normalization_flags::fuse_norm_relu;
        const bool inference = direction == "inference";
        if (inference) flags |= normalization_flags::use_global_stats;
        const auto kind = inference ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training;
        const dnnl::batch_normalization_forward::primitive_desc forward({kind, tensor_, epsilon, flags},
                                                                        engine_);
        add_statistics(forward, channels);
        if (relu && !inference) add(DNNL_ARG_WORKSPACE, forward.workspace_desc());
        forward_ = dnnl::batch_normalization_forward(forward);
        if (!backward_) return;
        backward_pass_ = dnnl::batch_normalization_backward(
            {{dnnl::prop_kind::backward, tensor_, tensor_, epsilon, flags}, engine_, forward});
    }

    void make_layer_norm(dnnl::memory::dim length) {
        using dnnl::normalization_flags;
        const auto flags = normalization_flags::use_scale | normalization_flags::use_shift;
        const dnnl::layer_normalization_forward::primitive_desc forward(
            {dnnl::prop_kind::forward_training, tensor_, epsilon, flags}, engine_);
        add_statistics(forward, length);
        forward_ = dnnl::layer_normalization_forward(forward);
        if (!backward_) return;
        backward_pass_ = dnnl::layer_normalization_backward(
            {{dnnl::prop_kind::backward, tensor_, tensor_, epsilon, flags}, engine_, forward});
    }

    Arguments with_tensors(int in, int out) {
        const auto tensor = [&](Floats& values) {
            return dnnl::memory(tensor_, engine_, values.of(sets_ * elements_) + turn_ * elements_);
        };
        Arguments result = arguments_;
        result.emplace(in, tensor(pool_.x));
        result.emplace(out, tensor(pool_.out));
        if (out == DNNL_ARG_DIFF_SRC) result.emplace(DNNL_ARG_DIFF_DST, tensor(pool_.dy));
        return result;
    }

    dnnl::engine engine_;
    dnnl::stream stream_;
    dnnl::memory::desc tensor_;
    dnnl::primitive forward_, backward_pass_;
    Arguments arguments_;  // all but the tensors
    bool backward_;
    Pool& pool_;
    size_t elements_ = 0, sets_ = 0, turn_ = 0;
};

/// What the layouts of a case are called.
std::map<std::string, Tag> layouts(const std::string& operation, const dnnl::memory::dims& shape) {
    constexpr Tag plain[] = {Tag::ab, Tag::abc, Tag::abcd, Tag::abcde};
    constexpr Tag last[] = {Tag::ab, Tag::acb, Tag::acdb, Tag::acdeb};
    constexpr Tag blocked[] = {Tag::ab, Tag::aBc16b, Tag::aBcd16b, Tag::aBcde16b};
    const size_t rank = shape.size() - 2;
    if (shape.size() < 2 || rank >= std::size(plain)) return {};
    if (operation == "layer_norm") return {{"onednn", plain[rank]}};
    if (operation != "batch_norm" && operation != "batch_norm_relu") return {};
    std::map<std::string, Tag> result{{"onednn_nchw", plain[rank]}};
    if (rank == 0) return result;
    result["onednn_nhwc"] = last[rank];
    if (shape[1] % 16 == 0) result["onednn_blocked"] = blocked[rank];
    return result;
}

}  // namespace

int main() {
    const dnnl_version_t* version = dnnl_version();
    const char* threads = std::getenv("OMP_NUM_THREADS");
    std::cout << json{{"title", "oneDNN " + std::to_string(version->major) + "." +
                                    std::to_string(version->minor) + ", " + (threads ? threads : "all") +
                                    " threads"}}
              << std::endl;
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    Pool pool;
    std::map<json, std::unique_ptr<Contestant>> contestants;
    for (std::string line; std::getline(std::cin, line);) {
        try {
            const json request = json::parse(line);
            if (request.contains("run")) {
                std::cout << contestants.at(request["run"])->run() << std::endl;
                continue;
            }
            const json& what = request.at("prepare");
            dnnl::memory::dims shape = what.at("shape");
            if (what.at("layout") == "channels_last" && what.at("operation") != "layer_norm")
                std::rotate(shape.begin() + 1, shape.end() - 1, shape.end());
            contestants.clear();
            json names = json::array();
            const bool known = what.at("type") == "float32";
            const auto ways = known ? layouts(what.at("operation"), shape) : std::map<std::string, Tag>{};
            for (const auto& [name, tag] : ways) {
                for (const std::string direction : what.at("directions")) {
                    names.push_back({name, direction});
                    contestants[names.back()] =
                        std::make_unique<Contestant>(engine, what, direction, shape, tag, pool);
                }
            }
            std::cout << json{{"contestants", names}} << std::endl;
        } catch (const std::exception& error) {
            std::cout << json{{"error", error.what()}} << std::endl;
        }
    }
}
