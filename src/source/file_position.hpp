// A file log's position: which files were read how far, as one line of JSON.
#pragma once

#include "base/result.hpp"
#include "source/identity.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

/// A file that is being read.
struct SavedPart {
  Identity file;
  std::uint32_t generation = 0;
  bool skipping = false;    ///< `file.offset` lies within a record that was too long
  bool superseded = false;  ///< it was rotated away
  bool at_end = false;      ///< all of it was read then
  Nanos modified = 0;       ///< as last seen
};

struct FilePosition {
  std::vector<SavedPart> parts;  ///< oldest first
  std::uint32_t next_generation = 0;
  bool started = false;        ///< false: the log was never read
  Nanos at = 0;                ///< wall time of the last read
  std::vector<Identity> past;  ///< files that are done with, oldest first
};

/// `past` as it stands in the position: kept by the log, since it rarely changes.
std::string past_to_json(std::vector<Identity> const& past);
/// `past_json` takes the place of position.past.
std::string to_json(FilePosition const& position, std::string_view past_json);
Result<FilePosition> parse_file_position(std::string_view text);

}  // namespace vedette::source
