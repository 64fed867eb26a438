// The column of controls on the left: everything in Settings.
#pragma once

#include <functional>

#include "app/experiment/settings.hpp"
#include "app/lab/introduction.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

/// Draws into `frame` and edits `settings`. `first` draws what stands above all else. Returns whether other
/// data are to be opened.
bool draw_controls(const Look& look, const plot::Rect& frame, Settings& settings, Introduction& introduction,
                   const std::function<void()>& first);

}  // namespace lab
