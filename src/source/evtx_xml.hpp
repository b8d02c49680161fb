// Binary XML of Windows event logs as text. Private to evtx_chunk.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

/// Reads little-endian numbers from a part of a chunk. Past its end it gives zeros and says so.
class EvtxCursor {
 public:
  EvtxCursor(std::string_view chunk, std::size_t begin, std::size_t end)
      : chunk_(chunk), at_(begin), end_(end) {
    bad_ = end > chunk.size() || begin > end;
    if (bad_) {
      at_ = end_ = 0;
    }
  }
  std::uint64_t number(std::size_t size);
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::string_view bytes(std::size_t size);
  std::uint8_t peek() const { return at_ < end_ ? static_cast<std::uint8_t>(chunk_[at_]) : 0; }
  void back_to(std::size_t place) { at_ = place; }
  std::size_t at() const { return at_; }
  std::size_t left() const { return end_ - at_; }
  bool bad() const { return bad_; }

 private:
  std::string_view chunk_;
  std::size_t at_;
  std::size_t end_;
  bool bad_ = false;
};

class EvtxXml {
 public:
  EvtxXml(std::string_view chunk, std::string& out, std::size_t most)
      : chunk_(chunk), out_(out), most_(out.size() + most) {}

  /// The binary XML from `begin` to `end` of the chunk; false: it does not hold.
  bool write(std::size_t begin, std::size_t end);

 private:
  /// A value that a template is filled with.
  struct Value {
    std::uint8_t type = 0;
    std::size_t at = 0;
    std::size_t size = 0;
  };
  using Values = std::vector<Value>;

  bool fragment(EvtxCursor& in, Values const* values, unsigned depth, bool bare);
  bool instance(EvtxCursor& in, unsigned depth);
  bool element(EvtxCursor& in, Values const* values, unsigned depth, bool bare);
  bool element_head(EvtxCursor& in, bool bare, bool attributes, std::string& name);
  bool attributes(EvtxCursor& in, Values const* values);
  bool content(EvtxCursor& in, Values const* values, unsigned depth, bool bare, std::size_t start,
               std::string const& name);
  bool piece(EvtxCursor& in, Values const* values, unsigned depth, bool& something);
  bool array(Value const& value, std::size_t start, std::string const& name);
  bool value(Value const& value, unsigned depth);
  bool name(EvtxCursor& in, std::string& out);
  bool too_long() const { return out_.size() > most_; }
  Value const* substituted(EvtxCursor& in, Values const* values);

  std::string_view chunk_;
  std::string& out_;
  std::size_t most_;
};

}  // namespace vedette::source
