// vknorm-check knows operations as entries of a table: their tensors, options and modes, how a mode runs on a
// device, and what it should give.
//
// A call is described by the words of the command line, whoever makes it: a user, a line of a file of cases,
// a vector of ONNX or of PyTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <vknorm/safetensors.hpp>

#include "support/compare.hpp"

namespace vknorm::check {

using testing::Expectations;

class Workspace;

/// An option takes a number, or one of some words.
struct Option {
    std::string name;
    std::vector<std::string> words;  ///< it is empty for a number
    std::string help;
    bool whole = false;  ///< the number is a whole one from 1 on
};

/// Returns the shortest text that reads back as `value`.
std::string number_text(double value);

/// These options were given to a call; each operation has its own defaults.
class Settings {
  public:
    void set(const std::string& option, const std::string& value) { values_[option] = value; }
    const std::map<std::string, std::string>& given() const { return values_; }
    float number(const std::string& option, float otherwise) const;
    uint32_t whole(const std::string& option, uint32_t otherwise) const;
    /// Returns the index among the option's words.
    size_t word(const Option& option, size_t otherwise) const;

  private:
    std::map<std::string, std::string> values_;
};

/// Generated values look so.
enum class Fill {
    x,          ///< normal, with the mean and deviation that were asked for
    gradient,   ///< normal about 0.25
    scale,      ///< normal about 1, deviation 0.5
    shift,      ///< normal about 0
    variance,   ///< 0.5 to 2 times that of x
    deviation,  ///< 0.5 to 2 times that of x
    valid,      ///< 1, but 0 for a quarter of the values
    count,      ///< 3
    none,       ///< such tensors are not generated
};

struct TensorKind {
    std::string name;
    Fill fill = Fill::none;
    std::string help;
    Dtype dtype = Dtype::f32;
    bool stored = false;  ///< it has the type that --storage names
    /// Reads its bytes as numbers; where it is null, the dtype tells how.
    std::vector<double> (*numbers)(const HostTensor& tensor) = nullptr;
};

struct Call;

struct Mode {
    std::string name;
    /// It needs these tensors, the first one being that whose shape is asked for; it takes those that are
    /// optional, and adds those that are generated only when asked for; it gives these.
    std::vector<std::string> needs, takes, adds, gives;
    /// Records everything into the workspace.
    void (*run)(const Call& call, Workspace& workspace);
    Expectations (*expect)(const Call& call);
};

/// An ONNX operator is the same as this operation in this way.
struct OnnxForm {
    std::string op;
    std::vector<std::string> inputs, outputs;  ///< they have our names, in the operator's order
    /// Returns the command line for a node with these attributes; its tensors, by our names, become ours.
    std::string (*translate)(const std::map<std::string, double>& attributes, HostTensors& inputs,
                             HostTensors& outputs);
};

struct Operation {
    std::string name, help;
    std::vector<TensorKind> tensors;
    std::vector<Option> options;
    std::vector<Mode> modes;
    /// Returns the shape of a tensor when that of the first one is known. Throws std::invalid_argument for
    /// one that the operation cannot have.
    TensorShape (*shape_of)(const std::string& tensor, const TensorShape& first, const Settings& settings);
    std::vector<OnnxForm> onnx{};

    const TensorKind* find_tensor(std::string_view tensor) const;
};

const std::vector<Operation>& operations();

struct Call {
    const Operation* operation = nullptr;
    const Mode* mode = nullptr;
    Settings settings{};
    HostTensors inputs{};

    bool has(const std::string& tensor) const { return inputs.contains(tensor); }
    /// Returns nothing when the tensor is absent.
    std::vector<float> floats(const std::string& tensor) const;
    const TensorShape& shape() const { return inputs.at(mode->needs.front()).shape; }
    TensorShape shape_of(const std::string& tensor) const {
        return operation->shape_of(tensor, shape(), settings);
    }
    Dtype dtype_of(const std::string& tensor) const;
};

Operation batch_norm();
Operation batch_norm_stages();
Operation batch_renorm();
Operation fold_batch_norm();
Operation ghost_batch_norm();
Operation group_norm();
Operation instance_norm();
Operation layer_norm();
Operation rms_norm();

}  // namespace vknorm::check
