// How cells lie on disk; for cell_store*.cpp only.
#pragma once

#include "detect/cell_codec.hpp"
#include "detect/cell_store.hpp"

#include <atomic>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vedette::detect::stored {

inline constexpr std::size_t kWriteTogether = 256 * 1024;

// Two kinds of keys on disk:
//   'c' number key          -> the record of a cell (cell_codec.hpp)
//   't' second number key   -> nothing: that cell is to be looked at then
// Numbers are big-endian, so that timers are in order of time.
inline constexpr char kRecord = 'c';
inline constexpr char kTimer = 't';
inline constexpr std::size_t kRecordHead = 1 + 4;
inline constexpr std::size_t kTimerHead = 1 + 8 + 4;
inline constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

inline void append_number(std::string& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

inline std::uint64_t number_at(std::string_view in, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8 | static_cast<unsigned char>(in[at + i]);
  }
  return value;
}

inline std::string make_record_key(NodeNumber number, std::string_view key) {
  std::string out(1, kRecord);
  append_number(out, number, 4);
  return out.append(key);
}

inline std::string make_timer_key(std::int64_t second, NodeNumber number, std::string_view key) {
  std::string out(1, kTimer);
  append_number(out, static_cast<std::uint64_t>(second) ^ kSign, 8);
  append_number(out, number, 4);
  return out.append(key);
}

inline std::unexpected<Error> damaged() {
  return fail("the state on disk is damaged: a cell cannot be read",
              "move the state folder away to start anew");
}

}  // namespace vedette::detect::stored

namespace vedette::detect {

/// What other threads may know: which records on disk are of no use any more.
struct CellStore::Horizons {
  std::atomic<Nanos> judged{kNever};
  std::unordered_map<NodeNumber, Nanos> spans;  // of first_seen nodes; kForever: never by itself

  bool forget(std::string_view key, std::string_view value) const {
    std::size_t const at = key.starts_with(stored::kRecord) ? 1 : 9;
    if (key.size() < at + 4) {
      return false;
    }
    auto const found = spans.find(static_cast<NodeNumber>(stored::number_at(key, at, 4)));
    if (found == spans.end()) {
      return true;  // of a node that is gone
    }
    Nanos last = kNever;
    return at == 1 && found->second != kForever && decode_last(value, last) &&
           add_clamped(last, found->second) < judged.load(std::memory_order_relaxed);
  }
};

}  // namespace vedette::detect
