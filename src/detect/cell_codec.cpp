#include "detect/cell_codec.hpp"

#include "state/record.hpp"

#include <algorithm>

namespace vedette::detect {
namespace {

using rule::Node;
using rule::NodeType;
using state::RecordReader;
using state::RecordWriter;

// Fields of a state; a number keeps its meaning for ever. The window is kept in columns; one whose
// values are all the usual ones is left out.
enum StateField : unsigned {
  kStateLast = 1,
  kStateCounted = 2,
  kStateTimer = 3,
  kStateTimes = 4,
  kStateDigests = 5,
  kStateValues = 6,
  kStateEvidence = 7,
  kStateRepeats = 8,
  kStateMembers = 9,
  kStateLates = 10,
  kStateMemberLast = 11,
  kStateChainStart = 12,
  kStateOpen = 13,
  kStatePanes = 14,
};

enum OpenField : unsigned {
  kOpened = 1,
  kOpenFirst = 2,
  kOpenLast = 3,
  kOpenCount = 4,
  kOpenLate = 5,
  kOpenHash = 6,
  kOpenHead = 7,
  kOpenTail = 8,
  kOpenExact = 9,
  kOpenDistinct = 10,
  kOpenRegisters = 11,
  kOpenContinues = 12,
  kOpenSum = 13,
  kOpenQuantiles = 14,
  kOpenBuckets = 15,
  kOpenMembers = 16,
  kOpenUntil = 17,
  kOpenExpected = 18,
};

template <class T, class Get>
void write_column(RecordWriter& out, unsigned field, WindowItem const* begin, WindowItem const* end,
                  T const& usual, Get get) {
  if (std::all_of(begin, end, [&](WindowItem const& item) { return get(item) == usual; })) {
    return;
  }
  std::vector<T> column;
  column.reserve(static_cast<std::size_t>(end - begin));
  for (WindowItem const* item = begin; item != end; ++item) {
    column.push_back(get(*item));
  }
  out.array(field, column.data(), column.size());
}

void write_window(RecordWriter& out, Body const& body) {
  WindowItem const* const begin = body.window.data() + body.window_begin;
  WindowItem const* const end = body.window.data() + body.window.size();
  if (begin == end) {
    return;
  }
  write_column<Nanos>(out, kStateTimes, begin, end, kNever,
                      [](WindowItem const& i) { return i.time; });
  write_column<Digest>(out, kStateDigests, begin, end, {},
                       [](WindowItem const& i) { return i.digest; });
  if (!body.window_values.empty()) {
    out.array(kStateValues, body.window_values.data() + body.window_begin,
              body.window_values.size() - body.window_begin);
  }
  write_column<EvidenceRef>(out, kStateEvidence, begin, end, 0,
                            [](WindowItem const& i) { return i.evidence; });
  write_column<std::uint32_t>(out, kStateRepeats, begin, end, 1,
                              [](WindowItem const& i) { return i.repeat; });
  write_column<std::uint16_t>(out, kStateMembers, begin, end, 0,
                              [](WindowItem const& i) { return i.member; });
  write_column<std::uint8_t>(out, kStateLates, begin, end, 0,
                             [](WindowItem const& i) { return static_cast<std::uint8_t>(i.late); });
}

template <class T, class Set>
bool read_column(RecordReader const& in, std::vector<WindowItem>& window, Set set) {
  auto const column = in.array<T>();
  if (column.size() != window.size() || in.bytes().size() != column.size() * sizeof(T)) {
    return false;
  }
  for (std::size_t i = 0; i < column.size(); ++i) {
    set(window[i], column[i]);
  }
  return true;
}

/// `times` comes first and says how long the window is.
bool read_window(RecordReader const& in, Body& body) {
  std::vector<WindowItem>& window = body.window;
  switch (in.field()) {
    case kStateTimes:
      window.resize(in.bytes().size() / sizeof(Nanos));
      return read_column<Nanos>(in, window, [](WindowItem& i, Nanos time) { i.time = time; });
    case kStateDigests:
      return read_column<Digest>(in, window,
                                 [](WindowItem& i, Digest digest) { i.digest = digest; });
    case kStateValues:
      body.window_values = in.array<Digest>();
      return body.window_values.size() == window.size() &&
             in.bytes().size() == window.size() * sizeof(Digest);
    case kStateEvidence:
      return read_column<EvidenceRef>(in, window,
                                      [](WindowItem& i, EvidenceRef ref) { i.evidence = ref; });
    case kStateRepeats:
      return read_column<std::uint32_t>(
          in, window, [](WindowItem& i, std::uint32_t repeat) { i.repeat = repeat; });
    case kStateMembers:
      return read_column<std::uint16_t>(
          in, window, [](WindowItem& i, std::uint16_t member) { i.member = member; });
    default:
      return read_column<std::uint8_t>(
          in, window, [](WindowItem& i, std::uint8_t late) { i.late = late != 0; });
  }
}

Body& body_for(CellState& state) {
  if (state.body == nullptr) {
    state.body = std::make_unique<Body>();
  }
  return *state.body;
}

bool read_field(RecordReader const& in, CellState& out) {
  switch (in.field()) {
    case kStateLast:
      out.last = in.fixed();
      return true;
    case kStateCounted:
      out.counted = in.number() != 0;
      return true;
    case kStateTimer:
      body_for(out).stored_timer = in.fixed();
      return true;
    case kStateTimes:
    case kStateDigests:
    case kStateValues:
    case kStateEvidence:
    case kStateRepeats:
    case kStateMembers:
    case kStateLates:
      return read_window(in, body_for(out));
    case kStateMemberLast:
      body_for(out).member_last = in.array<Nanos>();
      return true;
    case kStateChainStart:
      body_for(out).chain_start = in.array<Nanos>();
      return true;
    case kStateOpen:
      body_for(out).open = std::make_unique<Open>();
      return decode_open(in.bytes(), *out.body->open);
    case kStatePanes:
      body_for(out).panes = std::make_unique<Panes>();
      return decode_panes(in.bytes(), *out.body->panes);
    default:
      return true;  // of a later version
  }
}

struct Distinct {
  std::uint64_t exact = 0;
  std::vector<Digest> values;
  std::vector<std::uint8_t> registers;
};

/// What a measuring node or a window has, of which most episodes have nothing.
void write_measures(RecordWriter& out, Open const& open) {
  auto const number = [&](unsigned field, Decimal value) {
    if (value != Decimal{}) {
      Digest const stored = stored_number(value);
      out.array(field, &stored, 1);
    }
  };
  number(kOpenSum, open.sum);
  number(kOpenExpected, open.expected);
  if (!open.quantiles.empty()) {
    auto const& entries = open.quantiles.entries();
    out.array(open.quantiles.is_exact() ? kOpenQuantiles : kOpenBuckets, entries.data(),
              entries.size());
  }
  if (open.members != 0) {
    out.number(kOpenMembers, open.members);
  }
  if (open.until != kNever) {
    out.fixed(kOpenUntil, open.until);
  }
}

Decimal read_number(RecordReader const& in) {
  auto const stored = in.array<Digest>();
  return stored.empty() ? Decimal{} : number_of(stored.front());
}

/// false when it is damaged.
bool read_measure(RecordReader const& in, Open& out) {
  switch (in.field()) {
    case kOpenSum:
      out.sum = read_number(in);
      return true;
    case kOpenExpected:
      out.expected = read_number(in);
      return true;
    case kOpenQuantiles:
    case kOpenBuckets:
      return out.quantiles.restore(in.array<state::Quantiles::Entry>(),
                                   in.field() == kOpenQuantiles);
    case kOpenMembers:
      out.members = in.number();
      return true;
    case kOpenUntil:
      out.until = in.fixed();
      return true;
    default:
      return true;  // of a later version
  }
}

void read_open_field(RecordReader const& in, Open& out, Distinct& distinct) {
  switch (in.field()) {
    case kOpened:
      out.opened = in.fixed();
      break;
    case kOpenFirst:
      out.first = in.fixed();
      break;
    case kOpenLast:
      out.last = in.fixed();
      break;
    case kOpenCount:
      out.count = in.number();
      break;
    case kOpenLate:
      out.late = in.number();
      break;
    case kOpenHash:
      out.evidence_hash = in.array<Digest>().empty() ? Digest{} : in.array<Digest>().front();
      break;
    case kOpenHead:
      out.head = in.array<EvidenceRef>();
      break;
    case kOpenTail:
      out.tail = in.array<EvidenceRef>();
      break;
    case kOpenContinues:
      out.continues_opened = in.fixed();
      break;
    case kOpenExact:
      distinct.exact = in.number();
      break;
    case kOpenDistinct:
      distinct.values = in.array<Digest>();
      break;
    case kOpenRegisters:
      distinct.registers = in.array<std::uint8_t>();
      break;
    default:
      break;  // of a later version
  }
}

/// What follows from the window, and whether all of it fits the node.
bool complete(Node const& node, Body& body) {
  std::size_t const members = std::max<std::size_t>(node.members.size(), 1);
  // Left out where all are the usual ones, and there in state of other nodes by older versions.
  body.window_values.resize(keeps_values(node) ? body.window.size() : 0);
  for (std::size_t i = 0; i < body.window_values.size(); ++i) {
    if (node.type == NodeType::value_count) {
      body.values.add(body.window_values[i]);
    } else {
      body.sum += number_of(body.window_values[i]).times(body.window[i].repeat);
    }
  }
  for (WindowItem const& item : body.window) {
    body.weight += item.repeat;
    if (item.member >= members) {
      return false;
    }
  }
  bool const temporal =
      !node.waits() && (node.type == NodeType::temporal || node.type == NodeType::temporal_ordered);
  bool const chains = body.member_last.empty() ? !temporal || body.window.empty()
                                               : temporal && body.member_last.size() == members;
  return chains && body.member_last.size() == body.chain_start.size() &&
         std::is_sorted(body.window.begin(), body.window.end(),
                        [](WindowItem const& a, WindowItem const& b) { return a.time < b.time; });
}

}  // namespace

void encode_state(std::string& out, CellState const& state) {
  RecordWriter writer(out);
  writer.fixed(kStateLast, state.last);
  if (state.counted) {
    writer.number(kStateCounted, 1);
  }
  if (state.body == nullptr) {
    return;
  }
  Body const& body = *state.body;
  if (body.timer != kNoTimer) {
    writer.fixed(kStateTimer, body.timer);
  }
  write_window(writer, body);
  if (!body.member_last.empty()) {
    writer.array(kStateMemberLast, body.member_last.data(), body.member_last.size());
    writer.array(kStateChainStart, body.chain_start.data(), body.chain_start.size());
  }
  if (body.open != nullptr) {
    std::string open;
    encode_open(open, *body.open);
    writer.bytes(kStateOpen, open);
  }
  if (body.panes != nullptr) {
    std::string panes;
    encode_panes(panes, *body.panes);
    writer.bytes(kStatePanes, panes);
  }
}

bool decode_state(Node const& node, std::string_view bytes, CellState& out) {
  out = {};
  RecordReader in(bytes);
  while (in.next()) {
    if (!read_field(in, out)) {
      return false;
    }
  }
  return in.ok() && (out.body == nullptr || complete(node, *out.body));
}

bool decode_last(std::string_view bytes, Nanos& last) {
  RecordReader in(bytes);
  while (in.next()) {
    if (in.field() == kStateLast) {
      last = in.fixed();
      return true;
    }
  }
  return false;
}

void encode_open(std::string& out, Open const& open) {
  RecordWriter writer(out);
  writer.fixed(kOpened, open.opened);
  writer.fixed(kOpenFirst, open.first);
  writer.fixed(kOpenLast, open.last);
  writer.number(kOpenCount, open.count);
  if (open.late > 0) {
    writer.number(kOpenLate, open.late);
  }
  writer.array(kOpenHash, &open.evidence_hash, 1);
  writer.array(kOpenHead, open.head.data(), open.head.size());
  if (!open.tail.empty()) {
    std::vector<EvidenceRef> tail = open.tail;  // oldest first
    std::rotate(tail.begin(), tail.begin() + open.tail_next, tail.end());
    writer.array(kOpenTail, tail.data(), tail.size());
  }
  if (open.continues_opened != kNever) {
    writer.fixed(kOpenContinues, open.continues_opened);
  }
  write_measures(writer, open);
  if (open.distinct.count() == 0) {
    return;
  }
  writer.number(kOpenExact, open.distinct.exact_up_to());
  if (open.distinct.is_exact()) {
    std::vector<Digest> const values = open.distinct.values();
    writer.array(kOpenDistinct, values.data(), values.size());
  } else {
    writer.array(kOpenRegisters, open.distinct.registers().data(),
                 open.distinct.registers().size());
  }
}

bool decode_open(std::string_view bytes, Open& out) {
  out = Open{};
  Distinct distinct;
  RecordReader in(bytes);
  bool fine = true;
  while (in.next()) {
    read_open_field(in, out, distinct);
    fine = fine && read_measure(in, out);
  }
  if (!fine || !in.ok() || out.head.empty() || out.head.size() > kEvidenceHead ||
      out.tail.size() > kEvidenceTail) {
    return false;
  }
  if (distinct.exact == 0) {
    return true;
  }
  out.distinct = state::DistinctCounter(static_cast<std::size_t>(distinct.exact));
  return out.distinct.restore(distinct.values, std::move(distinct.registers));
}

}  // namespace vedette::detect
