// JSON text: a writer for what we print, and a small tree reader for what we read back at rest
// (configuration, checkpoints, tests). Log lines are read by decode/json.cpp, not here.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::json {

/// Appends `text` as a quoted JSON string. Invalid UTF-8 becomes U+FFFD; control characters,
/// `<`-free.
void append_string(std::string& out, std::string_view text);
bool valid_utf8(std::string_view text);
/// RFC 4648 with padding.
void append_base64(std::string& out, std::string_view bytes);

/// Builds an object or array; keys come out in the order they are put in.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& number(std::int64_t value);
  Writer& number(std::uint64_t value);
  Writer& number(int value) { return number(static_cast<std::int64_t>(value)); }
  Writer& number(double value);
  Writer& boolean(bool value);
  Writer& null();
  /// `text` must be JSON already.
  Writer& raw(std::string_view text);

 private:
  void separate();
  std::string& out_;
  bool first_ = true;
};

/// A parsed value; numbers keep their text (exact).
struct Value {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;  ///< of a string (unescaped) or number (as written)
  std::vector<Value> items;
  std::map<std::string, Value, std::less<>> members;

  Value const* find(std::string_view key) const;
  std::string_view string_or(std::string_view key, std::string_view otherwise) const;
  std::int64_t int_or(std::string_view key, std::int64_t otherwise) const;
};
/// At most 200 levels deep; the whole text must be one value.
Result<Value> parse(std::string_view text);
/// Back to text, object keys sorted.
void append(std::string& out, Value const& value);

}  // namespace vedette::json
