// The entries of the norm family share these options and tensors, and how gradients are asked for.
#pragma once

#include <functional>

#include <vknorm/batch_norm.hpp>

#include "check/operation.hpp"
#include "check/workspace.hpp"
#include "reference/family_expected.hpp"

namespace vknorm::check {

extern const Option preset_option, running_variance_option, momentum_form_option, momentum_option;
extern const Option eps_option, layout_option, single_value_option, storage_option, per_activation_option;
extern const Option relu_option, health_option, guard_option;
/// A BatchNormConvention is made of these.
std::vector<Option> convention_options();
/// Puts `more` after `options`.
std::vector<Option> with(std::vector<Option> options, const std::vector<Option>& more);

BatchNormConvention convention_of(const Settings& settings);
Layout layout_of(const Settings& settings);
SingleValue single_value_of(const Settings& settings);
Storage storage_of(const Settings& settings);
/// A ReLU may follow the normalization, and backward may know where it let through.
enum class Relu { none, recomputed, mask, output };
Relu relu_of(const Call& call);
bool wants_health(const Call& call);
bool has_guard(const Call& call);
/// Returns the lengths of the first tensor. Throws std::invalid_argument for lengths beyond 32 bits.
std::vector<uint32_t> lengths_of(const Call& call);

/// Throws std::invalid_argument for a shape of x that is not (N, C, ...).
void require_images(const std::string& operation, const TensorShape& x, size_t least_dimensions = 2);
uint64_t channels_of(const TensorShape& x, const Settings& settings);
/// Returns the shape of a tensor in the shape of x, of one of [C], or of a counter of batches.
TensorShape family_shape(const std::string& tensor, const TensorShape& x, const Settings& settings);

/// Returns the tensors that most operations have; `parameters` is the shape of gamma, for people.
std::vector<TensorKind> family_tensors(const std::string& parameters, const std::string& statistics);
std::vector<TensorKind> running_tensors();
/// Returns num_batches_tracked and num_batches_refused.
std::vector<TensorKind> counter_tensors();
std::vector<TensorKind> with(std::vector<TensorKind> tensors, const std::vector<TensorKind>& more);

/// This is the mode of a norm with statistics of every input.
Mode forward_mode(decltype(Mode::run) run, decltype(Mode::expect) expect);
/// This is the mode of a norm that updates running statistics.
Mode training_mode(decltype(Mode::run) run, decltype(Mode::expect) expect);

/// Reads x, dy, gamma, beta and what gradients are added to.
void read(const Call& call, reference::NormData& data);
int64_t batches_of(const Call& call);
reference::RunningData running_data(const Call& call);

/// Tells whether gradients are added to what dgamma or dbeta hold.
bool accumulates(const Call& call);
/// A gradient of parameters is new, or added to, or absent when others are added to and it is not among them.
BufferView parameter_gradient(const Call& call, Workspace& workspace, const std::string& name);
/// Adds those `gradients` to the expectations that parameter_gradient lets an operation give.
void expect_gradients(const Call& call, Expectations& expectations, Expectations gradients);
/// Returns all that record_training() gives: `forward`, the batches counted, and with a dy what `backward`
/// returns.
Expectations expect_training(const Call& call, Expectations forward,
                             const std::function<Expectations()>& backward, int64_t batches = 1);

double onnx_attribute(const std::map<std::string, double>& attributes, const char* name, double otherwise);

}  // namespace vknorm::check
