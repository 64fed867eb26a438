// Settings as one line of text, to be pasted into a chat or behind the # of an address:
//
//     vknorm:data=circles&noise=0.3&norm-b=group&groups-b=4&end
//
// Every setting of the table that is not the default, as the command line takes it. Bytes that an address
// cannot have there stand as %XX.
#pragma once

#include <string>

#include "app/experiment/settings.hpp"

namespace lab {

std::string share_string(const Settings& settings);
/// Whether one begins in `text`.
bool has_share_string(const std::string& text);
/// The settings of the first such line in `text`, whatever stands around it. Throws Unfit, which names the
/// word that is wrong, also where the line has been cut short.
Settings read_share_string(const std::string& text);

}  // namespace lab
