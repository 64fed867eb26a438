// The plots of a frame: where they are, and what one of them shows, as a table.
#pragma once

#include <imgui.h>
#include <string>
#include <vector>

namespace lab {

/// Cells as a file has them, a row for each line below the head.
struct Table {
    std::vector<std::string> head;
    std::vector<std::vector<std::string>> rows;
};

struct DrawnPlot {
    std::string id;     ///< among those of a frame
    std::string title;  ///< as it stands above it
    ImVec2 min, max;
};

class DrawnPlots {
  public:
    void clear() { all_.clear(); }
    void add(DrawnPlot plot) { all_.push_back(std::move(plot)); }
    const std::vector<DrawnPlot>& all() const { return all_; }
    /// Null: it is not there.
    const DrawnPlot* find(const std::string& id) const {
        for (const DrawnPlot& plot : all_)
            if (plot.id == id) return &plot;
        return nullptr;
    }
    /// The topmost one there.
    const DrawnPlot* at(ImVec2 point) const {
        for (size_t i = all_.size(); i-- > 0;)
            if (const DrawnPlot& plot = all_[i]; point.x >= plot.min.x && point.x < plot.max.x &&
                                                 point.y >= plot.min.y && point.y < plot.max.y)
                return &plot;
        return nullptr;
    }

    /// Asks the plot of that id for its table, when it is drawn next.
    void want_table(const std::string& id) { wanted_ = id; }
    /// A plot that is asked for its table leaves it; `make` returns it.
    template <class Make>
    void offer_table(const char* id, Make make) {
        if (wanted_ == id) table_ = make();
    }
    const Table& table() const { return table_; }

  private:
    std::vector<DrawnPlot> all_;
    std::string wanted_;
    Table table_;
};

}  // namespace lab
