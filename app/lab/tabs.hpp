// Every tab, in the order of the strip.
#pragma once

#include <memory>

#include "app/lab/tab.hpp"

namespace lab {

std::unique_ptr<Tab> live_tab();
std::unique_ptr<Tab> distributions_tab();
std::unique_ptr<Tab> statistics_tab();
std::unique_ptr<Tab> landscape_tab();
std::unique_ptr<Tab> sweep_tab();
std::unique_ptr<Tab> plan_tab();
std::unique_ptr<Tab> checks_tab();

using MakeTab = std::unique_ptr<Tab> (*)();
inline constexpr MakeTab all_tabs[] = {live_tab,  distributions_tab, statistics_tab, landscape_tab,
                                       sweep_tab, plan_tab,          checks_tab};

}  // namespace lab
