// Small records of numbered fields, for millions of them at rest: a cell, an episode, waiting
// evidence. Like snapshot.hpp, but a field costs one or two bytes and numbers are as long as they
// are.
//
// A field is a varint (number * 4 + form), then by form: a varint, 8 bytes little-endian, or a
// varint length and bytes. Readers skip numbers they do not know; a number keeps its meaning for
// ever.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vedette::state {

void append_varint(std::string& out, std::uint64_t value);
/// Takes a varint off `in`; false when there is none.
bool take_varint(std::string_view& in, std::uint64_t& value);

class RecordWriter {
 public:
  explicit RecordWriter(std::string& out) : out_(out) {}
  void number(unsigned field, std::uint64_t value);
  void fixed(unsigned field, std::int64_t value);
  void bytes(unsigned field, std::string_view value);
  /// Values as they lie in memory (little-endian machines only).
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void array(unsigned field, T const* values, std::size_t count) {
    bytes(field, {reinterpret_cast<char const*>(values), count * sizeof(T)});
  }

 private:
  std::string& out_;
};

/// Goes through the fields of a record.
///   for (RecordReader in(bytes); in.next();) switch (in.field()) { case 1: x = in.number(); ... }
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}
  /// The next field; false at the end or when the rest is damaged (then ok() is false).
  bool next();
  bool ok() const { return ok_; }
  unsigned field() const { return field_; }
  std::uint64_t number() const { return number_; }  ///< 0 when the field has another form
  std::int64_t fixed() const { return static_cast<std::int64_t>(number_); }
  std::string_view bytes() const { return bytes_; }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  std::vector<T> array() const {
    std::vector<T> out(bytes_.size() / sizeof(T));
    if (!out.empty()) {
      std::memcpy(static_cast<void*>(out.data()), bytes_.data(), out.size() * sizeof(T));
    }
    return out;
  }

 private:
  std::string_view rest_;
  std::string_view bytes_;
  std::uint64_t number_ = 0;
  unsigned field_ = 0;
  bool ok_ = true;
};

}  // namespace vedette::state
