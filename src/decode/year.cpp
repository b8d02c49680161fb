// The --year state past a block, without decoding it.
#include "decode/decoder.hpp"
#include "decode/front_stamp.hpp"
#include "decode/syslog_header.hpp"
#include "decode/syslog_stamp.hpp"

#include <cstring>
#include <string_view>

namespace vedette::decode {
namespace year_scan {
namespace {

/// Moves the state past one record.
void pass(std::string_view record, YearState& years) {
  char const* p = record.data();
  char const* const end = p + record.size();
  if (!record.empty() && *p == '<') {
    p += read_pri(p, end).size;
  }
  if (auto const stamp = parse_bsd_stamp(p, end); stamp && stamp->year == 0) {
    years.read(stamp->month, stamp->day, stamp->of_day);
  } else if (!stamp) {
    bool const bare = p == record.data();
    auto const other = bare ? parse_front_stamp(p, end) : parse_counted_stamp(p, end);
    if (other && other->year == 0) {
      years.read(other->month, other->day, other->of_day);
    }
  }
}

/// A stamp that equals the one before cannot move the state again: 16 bytes tell, when they hold it
/// whole.
void pass_lines(std::string_view bytes, YearState& years) {
  constexpr std::size_t kStamp = 16;
  char last[kStamp] = {};
  while (!bytes.empty()) {
    void const* const feed = std::memchr(bytes.data(), '\n', bytes.size());
    std::size_t const size =
        feed == nullptr ? bytes.size()
                        : static_cast<std::size_t>(static_cast<char const*>(feed) - bytes.data());
    std::string_view line = bytes.substr(0, size);
    bytes.remove_prefix(feed == nullptr ? size : size + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.size() > kStamp && line[0] != '<' && line[kStamp - 1] == ' ') {
      if (std::memcmp(line.data(), last, kStamp) == 0) {
        continue;
      }
      std::memcpy(last, line.data(), kStamp);
    }
    pass(line, years);
  }
}

}  // namespace
}  // namespace year_scan

void DecoderSet::advance_year(Block const& block, int& year, Nanos& year_mark) {
  if (year == 0) {
    return;
  }
  YearState years(year, year_mark);
  std::string_view const bytes(block.data.get(), block.size);
  constexpr std::size_t kHeader = 12;  // u32 size, i64 arrival
  std::size_t at = 0;
  switch (block.framing) {
    case Block::Framing::lines:
      year_scan::pass_lines(bytes, years);
      break;
    case Block::Framing::framed:
      while (bytes.size() - at >= kHeader) {
        std::uint32_t size = 0;
        for (unsigned i = 4; i-- > 0;) {
          size = size << 8 | static_cast<unsigned char>(bytes[at + i]);
        }
        at += kHeader;
        if (size > bytes.size() - at) {
          break;
        }
        year_scan::pass(bytes.substr(at, size), years);
        at += size;
      }
      break;
    case Block::Framing::whole:
      year_scan::pass(bytes, years);
      break;
  }
  year = years.year();
  year_mark = years.mark();
}

}  // namespace vedette::decode
