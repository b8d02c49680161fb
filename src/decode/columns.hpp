// A line cut into columns.
#pragma once

#include "base/arena.hpp"

#include <string_view>
#include <vector>

namespace vedette::decode {

struct ColumnRule {
  char separator = ',';
  bool quotes = true;     ///< RFC 4180: `"a ""quoted"" text"` may hold separators
  bool collapse = false;  ///< several separators in a row are one
};

/// Lines with more are cut off there; nobody has them.
inline constexpr std::size_t kMaxColumns = 1024;

/// The columns of `line`, in one pass. Quotes are taken off; doubled ones are resolved into the
/// arena. A quote that is never closed is text. Returns false when there are too many columns.
bool split_columns(std::string_view line, ColumnRule const& rule, Arena& arena,
                   std::vector<std::string_view>& out);

/// Follows quotes over the lines of one record (RFC 4180: a column in quotes may hold line ends).
class OpenQuote {
 public:
  explicit OpenQuote(ColumnRule const& rule) : rule_(rule) {}
  /// Takes the next line of the record; true when a quote is still open at its end.
  bool add(std::string_view line);

 private:
  ColumnRule rule_;
  bool open_ = false;
};

}  // namespace vedette::decode
