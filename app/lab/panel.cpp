#include "app/lab/panel.hpp"

#include "app/lab/panels/charts.hpp"
#include "app/lab/panels/data.hpp"
#include "app/lab/panels/distribution.hpp"

namespace lab {

std::vector<Panel> all_panels(size_t twins) {
    std::vector<Panel> panels;
    panels.push_back(loss_panel());
    panels.push_back(accuracy_panel());
    panels.push_back(data_panel());
    for (size_t twin = 0; twin < twins; ++twin) panels.push_back(distribution_panel(twin, twins));
    panels.push_back(percentile_panel());
    panels.push_back(mean_panel());
    panels.push_back(variance_panel());
    panels.push_back(gradient_panel());
    return panels;
}

}  // namespace lab
