#pragma once
// Arguments as one line that a person can read and paste into a shell. Pure; any thread.

#include <string>
#include <vector>

namespace lepton {

// Words with other than plain characters are quoted; what is not printable ASCII is shown as \xNN
// inside of $'...'.
std::string shell_words(std::vector<std::string> const& words);

}  // namespace lepton
