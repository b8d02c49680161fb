// `key=value` words, the one form that every product has of its own: quotes of two kinds, escapes,
// blanks or another separator between, values with blanks in them.
#pragma once

#include <cstddef>
#include <string_view>

namespace vedette::decode {

struct KvPair {
  std::string_view key;
  std::string_view value;  ///< without its quotes
  char quote = '\0';       ///< `"`, `'` or none
  bool escaped = false;    ///< holds backslashes within quotes
};

/// Pairs of a text from its front, in one pass. Bytes of a key: letters, digits, `_ . - @ / [ ]`.
class KvScanner {
 public:
  static constexpr std::size_t kMaxKey = 128;

  explicit KvScanner(std::string_view text);

  /// False at the end.
  bool next(KvPair& out);
  /// Bytes that belong to no pair: before the first, or behind a value's closing quote.
  std::size_t loose() const { return loose_; }
  /// Blanks within values without quotes: many of them make a text doubtful.
  std::size_t blanks_in_values() const { return blanks_in_values_; }
  /// What stands between pairs: a blank, or `, ; |` and others (then values may hold blanks).
  char separator() const { return separator_; }

 private:
  std::size_t skip_separators(std::size_t at) const;
  /// The end of a key at `at` (where its `=` is), or npos.
  std::size_t key_end(std::size_t at) const;
  std::size_t value_end(std::size_t begin);
  bool is_between(char c) const;

  std::string_view text_;
  std::size_t place_ = 0;
  std::size_t loose_ = 0;
  std::size_t blanks_in_values_ = 0;
  char separator_ = ' ';
  bool never_closed_[2] = {};  // no `"`, no `'` from here on ends a value: not looked for again
};

}  // namespace vedette::decode
