#include "source/evtx_chunk.hpp"

#include "source/evtx_xml.hpp"

#include <algorithm>

namespace vedette::source {
namespace evtx_chunk {
namespace {

constexpr std::string_view kMagic{"ElfChnk\0", 8};
constexpr std::string_view kRecord{"**\0\0", 4};
constexpr std::size_t kFirstRecord = 512;
constexpr std::size_t kRecordHead = 24;
constexpr std::size_t kRecordEnd = 4;

}  // namespace
}  // namespace evtx_chunk

/// Magic, a size that fits, and the same size at its end.
bool EvtxChunk::is_record(std::size_t at) const {
  using namespace evtx_chunk;
  EvtxCursor in(bytes_, std::min(at, bytes_.size()), bytes_.size());
  if (in.bytes(kRecord.size()) != kRecord) {
    return false;
  }
  std::size_t const size = in.u32();
  if (size < kRecordHead + kRecordEnd || size > bytes_.size() - at) {
    return false;
  }
  EvtxCursor end(bytes_, at + size - kRecordEnd, bytes_.size());
  return end.u32() == size;
}

void EvtxChunk::write(std::string& out, EvtxDamage& damage) {
  using namespace evtx_chunk;
  if (!bytes_.starts_with(kMagic)) {
    bool const unused = bytes_.find_first_not_of('\0') == std::string_view::npos;
    damage.chunks += unused ? 0 : 1;
    return;
  }
  EvtxCursor head(bytes_, std::min<std::size_t>(24, bytes_.size()), bytes_.size());
  std::uint64_t const first_id = head.number(8);
  static_cast<void>(head.bytes(16));
  std::size_t const free = head.u32();
  // A chunk that is being written has more records than its head says; one that was used before has
  // old ones behind them. Records that go on counting are its own.
  std::uint64_t next_id = first_id;
  std::size_t at = kFirstRecord;
  while (at < bytes_.size()) {
    if (!is_record(at)) {
      if (at >= free) {
        return;
      }
      ++damage.records;  // looks for the next one: records begin at multiples of 8
      do {
        at += 8 - at % 8;
      } while (at < std::min(free, bytes_.size()) && !is_record(at));
      continue;
    }
    EvtxCursor record(bytes_, at + 4, bytes_.size());
    std::size_t const size = record.u32();
    std::uint64_t const id = record.number(8);
    if (at >= free && id != next_id) {
      return;
    }
    next_id = id + 1;
    std::size_t const before = out.size();
    EvtxXml xml(bytes_, out, kMaxRecord);
    if (xml.write(at + kRecordHead, at + size - kRecordEnd) && out.size() > before) {
      out += '\n';
    } else {
      out.resize(before);
      ++damage.records;
    }
    at += size;
  }
}

}  // namespace vedette::source
