// Training one network in several places at once, each on a part of the batch: what they tell each other
// within a step.
//
// A step is then recorded in segments. Where one ends, it is submitted, and Exchange::all_reduce is called;
// what follows uses what that left in the buffer. In order: for every batch normalization, as values go
// forward, "NODE forward" with the moments of its channels; as gradients go back, "NODE backward" with its
// sums; at last "gradient", of all parameters. NODE is the node's name.
#pragma once

#include <string>

#include <vknorm/batch_norm_stages.hpp>

namespace vknorm {

/// What an exchanged buffer holds, and how those of the others are merged with it.
enum class Exchanged {
    moments,   ///< ChannelMoments, merged as BatchNormStages::merge does
    sums,      ///< ChannelSums, likewise
    gradient,  ///< float32, of the mean loss over one's own rows: averaged, weighted by the sums of the rows'
               ///< weights, which are their numbers without class weights
};

struct ExchangedBuffer {
    std::string name;
    Exchanged contents;
    BufferView buffer;
};

class Exchange {
  public:
    virtual ~Exchange() = default;

    /// Replaces what `part` holds by what all hold together, the same everywhere. What was recorded so far
    /// has been submitted to `stream`, which is to be used for what has to come next: Stream::download and
    /// Stream::upload, or operations. What this throws leaves Network::train_step; the network is of no use
    /// then, nor after any other error of a step that has begun to share.
    virtual void all_reduce(Stream& stream, const ExchangedBuffer& part) = 0;
};

}  // namespace vknorm
