// Walks over JSON text and gives its values as they are written, without building a tree: bodies of
// requests are taken apart into records, and what is inside a record is decode's concern. Any bytes
// may be given; nesting is bounded, time is linear, and a span that is given out is one whole
// value.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace vedette::source {

class JsonSpans {
 public:
  static constexpr int kMaxDepth = 128;

  explicit JsonSpans(std::string_view text, int max_depth = kMaxDepth)
      : text_(text), max_depth_(max_depth) {}

  /// The next byte that is not blank; NUL at the end.
  char peek();
  bool at_end() { return peek() == '\0' && place_ >= text_.size(); }
  std::size_t place() const { return place_; }

  /// Takes one value of any kind and gives its text; nullopt: there is none.
  std::optional<std::string_view> value();

  /// Takes an object: `member(key)` is called behind each colon, with the key as written between
  /// its quotes, and must take the value (false: it gives up). False: broken.
  template <class Member>
  bool object(Member&& member) {
    if (!take('{')) {
      return false;
    }
    if (take('}')) {
      return true;
    }
    do {
      std::optional<std::string_view> const key = string();
      if (!key || !take(':') || !member(*key)) {
        return false;
      }
    } while (take(','));
    return take('}');
  }

  /// Takes an array: `item()` is called before each item and must take it.
  template <class Item>
  bool array(Item&& item) {
    if (!take('[')) {
      return false;
    }
    if (take(']')) {
      return true;
    }
    do {
      if (!item()) {
        return false;
      }
    } while (take(','));
    return take(']');
  }

  /// The inside of a string, as written.
  std::optional<std::string_view> string();

 private:
  bool take(char c) {
    if (peek() != c || place_ >= text_.size()) {
      return false;
    }
    ++place_;
    return true;
  }
  bool skip();
  bool skip_word();
  bool skip_number();
  std::size_t skip_digits();

  std::string_view text_;
  int max_depth_;
  std::size_t place_ = 0;
  int depth_ = 0;
};

/// The inside of a string as text; other values as they are written.
inline std::string_view json_unquoted(std::string_view value) {
  return value.size() >= 2 && value.front() == '"' ? value.substr(1, value.size() - 2) : value;
}

/// What stands between the braces of an object as it is written; empty: it has no members.
std::string_view json_members(std::string_view object);

}  // namespace vedette::source
