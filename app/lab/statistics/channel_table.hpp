// The channels of a norm in a table, a line for each, that a click on a head sorts.
#pragma once

#include "app/lab/statistics/channels.hpp"
#include "app/plot/rows.hpp"

namespace lab {

/// What the user did to it.
struct ChannelTable {
    plot::PanelState panel{};
    const ChannelQuantity* sorted_by = nullptr;  ///< null: by their number
    bool ascending = true;
    size_t first = 0;                  ///< line at the top
    std::optional<size_t> revealed{};  ///< the chosen channel, when last seen
    float grabbed = 0;                 ///< where the scroll bar is held
    bool has_keyboard = false;         ///< in the latest frame
};

struct ChannelTableOptions {
    plot::PanelOptions panel;
    const char* row_name;  ///< "unit"
    std::vector<const ChannelQuantity*> quantities;
    Color color;  ///< of the twin
};

void draw_channel_table(const Look& look, const plot::Rect& frame, const ChannelTableOptions& options,
                        const ChannelTrace& trace, ChannelTable& table, plot::SharedRow& row);

}  // namespace lab
