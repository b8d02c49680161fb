// How far a polled API was read, in a file of its own beside the journal. The records of an answer
// are durable first, then this: after a crash between the two the answer is fetched once more, and
// what the journal has of it already is left out.
#pragma once

#include "base/result.hpp"
#include "source/journal.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vedette::source {

class PollState {
 public:
  /// `journal`: what was fetched. A state file that cannot be read is an error.
  Status load(std::string path, Journal const& journal);
  /// After the records are in the journal.
  Status save(Journal const& journal);

  /// True when an item of this identity was taken not long ago. `remember`: items may come again
  /// in other answers, so it is kept for those.
  bool seen(std::string_view item, std::string_view identity, bool remember);
  /// An answer with items was taken whole: what the journal had of it is known.
  void answer_taken() { unsaved_.clear(); }
  /// The greatest value so far; numbers and points in time compare as such.
  void note_since(std::string const& value);

  std::string next;   ///< leads to the next page: a URL or a cursor; "" = none is known
  std::string since;  ///< greatest value of the items' `since`

 private:
  Status load_unsaved(Journal const& journal, std::uint64_t from);

  std::string path_;
  std::deque<std::uint64_t> recent_;  // identities, oldest first
  std::unordered_map<std::uint64_t, std::uint32_t> known_;
  std::unordered_map<std::uint64_t, std::uint32_t> unsaved_;  // digests of records, how many
};

}  // namespace vedette::source
