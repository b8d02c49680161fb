// A chunk of a Windows event log file: 64 KiB that hold records in binary XML, with the names and
// templates that they use. Written as the XML that Windows shows for them.
//
// Files are copied off running or broken machines, so nothing in them is believed: every offset is
// checked, recursion and the length of what comes out are bounded, a record that does not hold is
// counted and the next one is looked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vedette::source {

struct EvtxDamage {
  std::uint64_t chunks = 0;   ///< without a header that is one
  std::uint64_t records = 0;  ///< that could not be read
  bool any() const { return chunks + records > 0; }
};

class EvtxChunk {
 public:
  static constexpr std::size_t kSize = 64 * 1024;
  static constexpr std::size_t kMaxRecord = 1 << 20;  ///< bytes of XML

  /// `bytes`: kSize of them, or fewer where the file is cut off.
  explicit EvtxChunk(std::string_view bytes) : bytes_(bytes) {}

  /// Appends the XML of all records, a line each.
  void write(std::string& out, EvtxDamage& damage);

 private:
  bool is_record(std::size_t at) const;
  std::string_view bytes_;
};

/// Whether a file begins like one.
inline constexpr std::string_view kEvtxMagic{"ElfFile\0", 8};

}  // namespace vedette::source
