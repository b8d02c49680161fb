// Panes in checkpoints and on disk; for cell_codec.cpp.
#include "detect/cell_codec.hpp"
#include "state/record.hpp"

#include <algorithm>

namespace vedette::detect {
namespace {

using state::RecordReader;
using state::RecordWriter;

// Numbers keep their meaning for ever. A pane is its number, its newest evidence and its tally.
enum PanesField : unsigned {
  kPanesNext = 1,
  kPanesTaken = 2,
  kPanesSince = 3,
  kPanesPastTimes = 4,
  kPanesPastCounts = 5,
  kPanesNewest = 6,
  kPanesNumber = 7,
  kPanesPaneNewest = 8,
  kPanesTally = 9,
};
enum ItemField : unsigned {
  kItemTime = 1,
  kItemDigest = 2,
  kItemEvidence = 3,
  kItemRepeat = 4,
  kItemLate = 5,
};

void write_item(RecordWriter& out, unsigned field, WindowItem const& item) {
  std::string bytes;
  RecordWriter writer(bytes);
  writer.fixed(kItemTime, item.time);
  writer.array(kItemDigest, &item.digest, 1);
  writer.number(kItemEvidence, item.evidence);
  writer.number(kItemRepeat, item.repeat);
  writer.number(kItemLate, item.late ? 1 : 0);
  out.bytes(field, bytes);
}

bool read_item(std::string_view bytes, WindowItem& out) {
  RecordReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case kItemTime:
        out.time = in.fixed();
        break;
      case kItemDigest:
        out.digest = in.array<Digest>().empty() ? Digest{} : in.array<Digest>().front();
        break;
      case kItemEvidence:
        out.evidence = in.number();
        break;
      case kItemRepeat:
        out.repeat = static_cast<std::uint32_t>(in.number());
        break;
      case kItemLate:
        out.late = in.number() != 0;
        break;
      default:
        break;  // of a later version
    }
  }
  return in.ok();
}

/// A number is followed by what belongs to its pane.
bool read_pane_field(RecordReader const& in, Panes& out) {
  if (in.field() == kPanesNumber) {
    Pane& pane = out.recent.emplace_back();
    pane.number = in.fixed();
    return out.recent.size() == 1 || out.recent[out.recent.size() - 2].number < pane.number;
  }
  if (out.recent.empty()) {
    return false;
  }
  return in.field() == kPanesTally ? decode_open(in.bytes(), out.recent.back().tally)
                                   : read_item(in.bytes(), out.recent.back().newest);
}

}  // namespace

void encode_panes(std::string& out, Panes const& panes) {
  RecordWriter writer(out);
  writer.fixed(kPanesNext, panes.next);
  writer.fixed(kPanesTaken, panes.taken);
  writer.fixed(kPanesSince, panes.since);
  std::vector<std::int64_t> times;
  std::vector<std::uint64_t> counts;
  for (Past const& past : panes.past) {
    times.push_back(past.at);
    counts.push_back(past.count);
  }
  if (!times.empty()) {
    writer.array(kPanesPastTimes, times.data(), times.size());
    writer.array(kPanesPastCounts, counts.data(), counts.size());
  }
  if (panes.has_newest) {
    write_item(writer, kPanesNewest, panes.newest);
  }
  for (Pane const& pane : panes.recent) {
    std::string tally;
    encode_open(tally, pane.tally);
    writer.fixed(kPanesNumber, pane.number);
    write_item(writer, kPanesPaneNewest, pane.newest);
    writer.bytes(kPanesTally, tally);
  }
}

bool decode_panes(std::string_view bytes, Panes& out) {
  out = {};
  std::vector<std::int64_t> times;
  std::vector<std::uint64_t> counts;
  bool fine = true;
  RecordReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case kPanesNext:
        out.next = in.fixed();
        break;
      case kPanesTaken:
        out.taken = in.fixed();
        break;
      case kPanesSince:
        out.since = in.fixed();
        break;
      case kPanesPastTimes:
        times = in.array<std::int64_t>();
        break;
      case kPanesPastCounts:
        counts = in.array<std::uint64_t>();
        break;
      case kPanesNewest:
        out.has_newest = true;
        fine = fine && read_item(in.bytes(), out.newest);
        break;
      case kPanesNumber:
      case kPanesPaneNewest:
      case kPanesTally:
        fine = fine && read_pane_field(in, out);
        break;
      default:
        break;  // of a later version
    }
  }
  if (!fine || !in.ok() || times.size() != counts.size() ||
      !std::is_sorted(times.begin(), times.end())) {
    return false;
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    out.past.push_back({times[i], counts[i]});
    out.past_count += counts[i];
  }
  return true;
}

}  // namespace vedette::detect
