// What any picture of the Lab's screen must hold to.
#pragma once

#include "lab/stage.hpp"

namespace lab::testing {

/// No letter lies on another.
void expect_letters_apart(Stage& stage);
/// Every letter lies in one of the cards, and none is cut but where the controls scroll.
void expect_letters_whole(Stage& stage);

}  // namespace lab::testing
