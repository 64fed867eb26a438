// What ranks do with each other's bytes, whatever the way that these come.
#include "vknorm/exchange.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace vknorm {

namespace {

using Message = Exchange::Message;
using MessageView = Exchange::MessageView;

/// Before every message: where its sender is.
using Where = std::array<char, 128>;

Where where_of(const std::string& text) {
    Where where{};
    std::copy_n(text.begin(), std::min(text.size(), where.size() - 1), where.begin());
    return where;
}

Message message_of(const std::string& where, MessageView content) {
    const Where head = where_of(where);
    Message message(head.size() + content.size());
    std::memcpy(message.data(), head.data(), head.size());
    std::copy(content.begin(), content.end(), message.begin() + head.size());
    return message;
}

struct Group {
    uint32_t first, count;

    uint32_t end() const { return first + count; }
};

Group group_of(const Exchange& exchange, uint32_t group_size) {
    const uint32_t size = exchange.size();
    if (group_size == 0 || group_size >= size) return {0, size};
    const uint32_t first = exchange.rank() / group_size * group_size;
    return {first, std::min(group_size, size - first)};
}

/// Their contents. Every message has a head, so that whoever is elsewhere is found out.
std::vector<Message> trade(Exchange& exchange, const std::string& where,
                           const std::vector<MessageView>& messages) {
    const auto fail = [&](const std::string& what) -> ExchangeError {
        return ExchangeError(where + ": rank " + std::to_string(exchange.rank()) + ": " + what);
    };
    std::vector<Message> got;
    try {
        got = exchange.trade(messages);
    } catch (const ExchangeError& error) {
        throw fail(error.what());
    }
    const Where here = where_of(where);
    for (size_t r = 0; r < messages.size(); ++r) {
        if (messages[r].empty()) continue;
        Where there{};
        if (got[r].size() < there.size()) throw fail("rank " + std::to_string(r) + " sent no message");
        std::memcpy(there.data(), got[r].data(), there.size());
        if (there != here)
            throw fail("rank " + std::to_string(r) + " is at \"" + there.data() +
                       "\": all ranks must make the same calls in the same order");
        got[r].erase(got[r].begin(), got[r].begin() + there.size());
    }
    return got;
}

template <class T>
std::vector<T> values_of(MessageView message) {
    std::vector<T> values(message.size() / sizeof(T));
    std::memcpy(values.data(), message.data(), values.size() * sizeof(T));
    return values;
}

template <class T>
MessageView bytes_of(const std::vector<T>& values) {
    return std::as_bytes(std::span(values));
}

void require_length(const std::string& where, size_t rank, size_t got, size_t needed) {
    if (got != needed)
        throw ExchangeError(where + ": rank " + std::to_string(rank) + " has " + std::to_string(got) +
                            " bytes where this one has " + std::to_string(needed));
}

/// A number as a float32 and what rounding to it lost.
void split(double value, float& rounded, float& lost) {
    rounded = static_cast<float>(value);
    lost = static_cast<float>(value - double{rounded});
}

/// T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
/// variances", 1979: one after the other, in double, whose roundings float32 does not see.
ChannelMoments merged(std::span<const ChannelMoments> parts) {
    double count = 0, mean = 0, squares = 0;
    for (const ChannelMoments& part : parts) {
        if (part.count == 0) continue;
        const double sum = count + part.count, apart = double{part.mean} + double{part.mean_lost} - mean;
        squares += double{part.squares} + apart * apart * count * part.count / sum;
        mean += apart * part.count / sum;
        count = sum;
    }
    if (count > std::numeric_limits<uint32_t>::max())
        throw ExchangeError("more than 2^32 - 1 values in a channel");
    ChannelMoments all{.count = static_cast<uint32_t>(count), .squares = static_cast<float>(squares)};
    split(mean, all.mean, all.mean_lost);
    return all;
}

ChannelSums merged(std::span<const ChannelSums> parts) {
    double dy = 0, dy_x = 0;
    for (const ChannelSums& part : parts) {
        dy += double{part.dy} + double{part.dy_lost};
        dy_x += double{part.dy_x} + double{part.dy_x_lost};
    }
    ChannelSums all;
    split(dy, all.dy, all.dy_lost);
    split(dy_x, all.dy_x, all.dy_x_lost);
    return all;
}

/// All of every rank travel to all, and each merges them.
template <class T>
std::vector<T> merge_channels(Exchange& exchange, const ExchangedBuffer& part, std::vector<T> own) {
    const uint32_t first = group_of(exchange, part.group_size).first;
    std::vector<std::vector<T>> of_ranks;
    for (const Message& message : gather(exchange, part.where, bytes_of(own), part.group_size)) {
        require_length(part.where, first + of_ranks.size(), message.size(), bytes_of(own).size());
        of_ranks.push_back(values_of<T>(message));
    }
    std::vector<T> parts(of_ranks.size());
    for (size_t channel = 0; channel < own.size(); ++channel) {
        for (size_t r = 0; r < parts.size(); ++r) parts[r] = of_ranks[r][channel];
        own[channel] = merged(std::span<const T>(parts));
    }
    return own;
}

/// Each rank adds a slice of them, and gives it to the others: what a rank sends does not grow with their
/// number.
std::vector<float> add_slices(Exchange& exchange, const ExchangedBuffer& part, std::vector<float> values) {
    const Group group = group_of(exchange, part.group_size);
    const auto slice = [&](uint32_t rank) {
        const size_t i = rank - group.first, begin = values.size() * i / group.count;
        return std::span(values).subspan(begin, values.size() * (i + 1) / group.count - begin);
    };
    std::vector<Message> sent(exchange.size());
    std::vector<MessageView> views(exchange.size());
    for (uint32_t r = group.first; r < group.end(); ++r) {
        if (r == exchange.rank()) continue;
        sent[r] = message_of(part.where, std::as_bytes(slice(r)));
        views[r] = sent[r];
    }
    const std::vector<Message> got = trade(exchange, part.where, views);
    const std::span<float> mine = slice(exchange.rank());
    const std::vector<float> own(mine.begin(), mine.end());
    for (uint32_t r = group.first; r < group.end(); ++r) {
        if (r != exchange.rank()) require_length(part.where, r, got[r].size(), mine.size_bytes());
        const std::vector<float> its = r == exchange.rank() ? own : values_of<float>(got[r]);
        for (size_t i = 0; i < mine.size(); ++i) mine[i] = r == group.first ? its[i] : mine[i] + its[i];
    }
    if (part.contents == Exchanged::mean)
        for (float& value : mine) value /= static_cast<float>(group.count);
    const std::vector<Message> slices = gather(exchange, part.where, std::as_bytes(mine), part.group_size);
    for (uint32_t r = group.first; r < group.end(); ++r) {
        const std::span<float> target = slice(r);
        require_length(part.where, r, slices[r - group.first].size(), target.size_bytes());
        if (!target.empty()) std::memcpy(target.data(), slices[r - group.first].data(), target.size_bytes());
    }
    return values;
}

}  // namespace

std::vector<Message> gather(Exchange& exchange, const std::string& where, MessageView own,
                            uint32_t group_size) {
    const Group group = group_of(exchange, group_size);
    const Message message = message_of(where, own);
    std::vector<MessageView> messages(exchange.size());
    for (uint32_t r = group.first; r < group.end(); ++r)
        if (r != exchange.rank()) messages[r] = message;
    std::vector<Message> got = trade(exchange, where, messages);
    got[exchange.rank()].assign(own.begin(), own.end());
    return {std::make_move_iterator(got.begin() + group.first),
            std::make_move_iterator(got.begin() + group.end())};
}

void broadcast(Exchange& exchange, const std::string& where, std::span<std::byte> data) {
    const bool gives = exchange.rank() == 0;
    const Message message = message_of(where, gives ? data : MessageView());
    std::vector<MessageView> messages(exchange.size());
    for (uint32_t r = 0; r < exchange.size(); ++r)
        if (r != exchange.rank() && (gives || r == 0)) messages[r] = message;
    const std::vector<Message> got = trade(exchange, where, messages);
    if (gives) return;
    require_length(where, 0, got[0].size(), data.size());
    std::copy(got[0].begin(), got[0].end(), data.begin());
}

void barrier(Exchange& exchange, const std::string& where) {
    gather(exchange, where, {});
}

void all_reduce(Exchange& exchange, Stream& stream, const ExchangedBuffer& part) {
    if (part.contents == Exchanged::moments)
        stream.upload(part.buffer,
                      merge_channels(exchange, part, stream.download<ChannelMoments>(part.buffer)));
    else if (part.contents == Exchanged::sums)
        stream.upload(part.buffer, merge_channels(exchange, part, stream.download<ChannelSums>(part.buffer)));
    else
        stream.upload(part.buffer, add_slices(exchange, part, stream.download<float>(part.buffer)));
}

}  // namespace vknorm
