#pragma once
// Which files of a working folder stay at home. Each folder may have a file .leptonignore or, where
// it has none, .gitignore; its lines speak of what lies below it. Pure; any thread.
//
// The grammar is that of gitignore(5), as far as it goes here:
//   empty lines and lines that begin with '#' mean nothing; trailing spaces do not count
//   !PATTERN    takes back what an earlier line, or a file further up, leaves out
//   PATTERN/    folders only
//   a '/' at the beginning or in the middle: from the folder of the file on; else: at any depth
//   *  any characters but '/'     ?  one of them     [a-z] [!a-z] [^a-z]  one of these, or not
//   **/ in front: at any depth;   /** behind: all that is below;   /**/: any number of folders
//   \C  the character C itself
// The last line that matches decides. What lies below a folder that is left out is never looked at,
// so that no line takes it back. Left out always: .git

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace lepton::cli {

inline constexpr std::size_t ignore_lines_max = 2'000, ignore_bytes_max = 65'536;

class IgnoreRules {
 public:
  // The lines of the file in this folder ("" for the top, else without a '/' at either end); files
  // further up first. `invalid`: too many or too long lines, or one that ends in the middle.
  Status add(std::string const& folder, std::string_view lines);
  // False: it stays at home.
  bool takes(std::string_view path, bool is_folder) const;

 private:
  struct Pattern {
    std::string folder;
    std::vector<std::string> parts;  // between the '/'; "**" is any number
    bool negated = false;
    bool folders_only = false;
  };
  static bool matches(Pattern const& pattern, std::string_view path, bool is_folder);
  Status add_line(std::string const& folder, std::string_view line);

  std::vector<Pattern> patterns_;
};

// One component against one part of a pattern.
bool matches_component(std::string_view pattern, std::string_view name);

}  // namespace lepton::cli
