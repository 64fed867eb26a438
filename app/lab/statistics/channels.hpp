// What is told of the channels of a norm, and where it stands in a Snapshot.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "app/experiment/snapshot.hpp"
#include "app/plot/heat_map.hpp"

namespace lab {

/// A number that each channel has.
struct ChannelQuantity {
    const char* head;  ///< of its column in a table
    const char* name;  ///< in words
    float ChannelRow::*member;
    plot::ColorScale colors = plot::ColorScale::diverging;
    double middle = 0;     ///< of the colours
    bool by_size = false;  ///< is sorted without its sign
};

inline constexpr ChannelQuantity batch_mean{"μ batch", "batch mean", &ChannelRow::batch_mean};
inline constexpr ChannelQuantity running_mean{"μ run", "running mean", &ChannelRow::running_mean};
inline constexpr ChannelQuantity batch_variance{"σ² batch", "batch variance", &ChannelRow::batch_variance,
                                                plot::ColorScale::sequential};
inline constexpr ChannelQuantity running_variance{"σ² run", "running variance", &ChannelRow::running_variance,
                                                  plot::ColorScale::sequential};
inline constexpr ChannelQuantity gamma_of_norm{"γ", "gamma", &ChannelRow::gamma, plot::ColorScale::diverging,
                                               1};
inline constexpr ChannelQuantity beta_of_norm{"β", "beta", &ChannelRow::beta};
inline constexpr ChannelQuantity mean_gap{"gap", "gap", &ChannelRow::gap, plot::ColorScale::diverging,
                                          0,     true};

/// Those that a norm of that kind has, in the order of a table.
std::vector<const ChannelQuantity*> quantities_of(vknorm::Norm kind);
bool has(vknorm::Norm kind, const ChannelQuantity& quantity);

/// The channels of a layer's norm at the steps that are kept, and at the latest one.
class ChannelTrace {
  public:
    /// Those kept are of `run`, the latest one is that of `then`, which may be an earlier step of it. Both
    /// must outlive this. Empty where the twin has no norm there, or no step was made.
    ChannelTrace(const Snapshot& run, const Snapshot& then, size_t twin, size_t layer);

    bool empty() const { return latest_.empty(); }
    size_t channels() const { return latest_.size(); }
    uint64_t latest_step() const { return latest_step_; }
    std::span<const ChannelRow> latest() const { return latest_; }
    /// Those kept, and the latest one, if it is none of them.
    std::span<const double> steps() const { return steps_; }
    plot::HeatCell cell(size_t column, size_t channel, float ChannelRow::*member) const;

  private:
    using Kept = History<std::vector<ChannelRow>>;
    const Kept* kept_ = nullptr;
    std::span<const ChannelRow> latest_;
    uint64_t latest_step_ = 0;
    std::vector<double> steps_;
};

/// "-0.530", of at most eight characters; a dash where it was not measured.
std::string decimals(float value);

}  // namespace lab
