#include "decode/netflow_writer.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

namespace vedette::decode {
namespace netflow_writer {
namespace {

using Form = NetflowElements::Form;
using Entry = NetflowTemplate::Entry;

constexpr std::uint64_t kNtpToUnix = 2'208'988'800;  // seconds from 1900 to 1970
constexpr std::size_t kMostUnknown = 20'000;         // templates of strangers

Nanos from_ntp(std::uint64_t value) {
  std::uint64_t const seconds = (value >> 32) - kNtpToUnix;
  std::uint64_t const nanos = ((value & 0xFFFF'FFFFU) * 1'000'000'000) >> 32;
  return static_cast<Nanos>(seconds & 0xFFFF'FFFFU) * kSecond + static_cast<Nanos>(nanos);
}

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~';
  });
}

}  // namespace
}  // namespace netflow_writer

using namespace netflow_writer;

NetflowNames::NetflowNames(catalog::Catalog& catalog)
    : exporter(catalog.fields().intern("exporter")),
      version(catalog.fields().intern("version")),
      sequence(catalog.fields().intern("sequence")),
      domain(catalog.fields().intern("observationDomainId")),
      template_id(catalog.fields().intern("templateId")),
      start(catalog.fields().intern("flowStart")),
      end(catalog.fields().intern("flowEnd")),
      undecoded_set(catalog.fields().intern("undecodedSet")),
      undecoded_bytes(catalog.fields().intern("undecodedBytes")),
      flow(catalog.add_type("network/netflow")),
      meta(catalog.add_type("network/netflow_meta")) {}

void NetflowTimes::take(std::uint16_t number, std::uint64_t value, Nanos sent) {
  constexpr std::uint64_t kMost = static_cast<std::uint64_t>(kForever / kSecond);
  Nanos& place = number % 2 == 0 ? start : end;
  if (number == 21 || number == 22) {
    (number == 22 ? up_start : up_end) = value & 0xFFFF'FFFFU;
    has_up = true;
  } else if ((number == 150 || number == 151) && value <= kMost) {
    place = static_cast<Nanos>(value) * kSecond;
  } else if ((number == 152 || number == 153 || number == 160) && value <= kMost * 1000) {
    (number == 160 ? booted : place) = static_cast<Nanos>(value) * kMillisecond;
  } else if (number >= 154 && number <= 157) {
    place = from_ntp(value);
  } else if (number == 158 || number == 159) {
    place = sent - static_cast<Nanos>(value & 0xFFFF'FFFFU) * kMicrosecond;
  }
}

void NetflowTimes::finish() {
  if (has_up && booted != kNever) {
    start = start == kNever ? booted + static_cast<Nanos>(up_start) * kMillisecond : start;
    end = end == kNever ? booted + static_cast<Nanos>(up_end) * kMillisecond : end;
  }
}

NetflowWriter::NetflowWriter(NetflowElements const& elements, NetflowNames const& names,
                             DecodeContext& context, NetflowUnknown& unknown, Record const& record,
                             NetflowRecord const& from, NetflowHeader const& header)
    : elements_(elements),
      names_(names),
      context_(context),
      batch_(context.batch),
      unknown_(unknown),
      record_(record),
      from_(from),
      header_(header),
      sent_(static_cast<Nanos>(header.seconds) * kSecond + header.nanos) {
  if (header.version != 10) {
    booted_ = static_cast<Nanos>(header.seconds) * kSecond + header.nanos -
              static_cast<Nanos>(header.uptime) * kMillisecond;
  }
}

void NetflowWriter::flows(NetflowTemplate const& how, std::uint16_t id, std::string_view bytes) {
  while (how.least > 0 && bytes.size() >= how.least) {
    begin();
    number(names_.template_id, id);
    NetflowTimes times;
    times.booted = booted_;
    bool whole = true;
    for (Entry const& entry : how.entries) {
      whole = whole && value(entry, bytes, times);
    }
    if (!whole) {
      batch_.fields.resize(first_);
      undecoded(id, bytes.size());
      return;
    }
    times.finish();
    time(names_.start, times.start);
    time(names_.end, times.end);
    finish(how.options ? names_.meta : names_.flow);
  }
}

void NetflowWriter::undecoded(std::uint16_t id, std::size_t size) {
  begin();
  number(names_.undecoded_set, id);
  number(names_.undecoded_bytes, size);
  finish(names_.meta);
}

void NetflowWriter::begin() {
  first_ = batch_.fields.size();
  if (!from_.exporter.empty()) {
    add(names_.exporter, from_.exporter, Kind::text);
  }
  number(names_.version, header_.version);
  number(names_.sequence, header_.sequence);
  number(names_.domain, header_.domain);
}

void NetflowWriter::finish(TypeId type) {
  Event event;
  event.time = sent_;
  event.arrival = record_.arrival;
  event.raw = record_.bytes.data();
  event.raw_size = static_cast<std::uint32_t>(record_.bytes.size());
  event.first_field = static_cast<std::uint32_t>(first_);
  event.field_count = static_cast<std::uint16_t>(batch_.fields.size() - first_);
  event.offset = record_.offset;
  event.part = static_cast<std::uint16_t>(part_++);
  event.type = type;
  event.by_map = true;
  batch_.events.push_back(event);
}

/// Takes the bytes of an entry off the front. False: there are too few.
bool NetflowWriter::value(Entry const& entry, std::string_view& bytes, NetflowTimes& times) {
  std::size_t size = entry.size;
  if (header_.version == 10 && size == NetflowTemplate::kVariable) {
    NetflowBytes length(bytes);
    size = length.number(1);
    size = size == 255 ? length.u16() : size;
    bytes.remove_prefix(bytes.size() - length.left());
  }
  if (size > bytes.size()) {
    return false;
  }
  std::string_view const taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  Element const* const known = elements_.find(entry.enterprise, entry.number);
  if (entry.enterprise == 0 && size <= 8) {
    times.take(entry.number, NetflowBytes(taken).number(size), sent_);
  }
  write(known != nullptr ? *known : unknown(entry), taken);
  return true;
}

NetflowWriter::Element NetflowWriter::unknown(Entry const& entry) {
  std::uint64_t const key = std::uint64_t{entry.enterprise} << 16 | entry.number;
  auto const found = unknown_.find(key);
  if (found != unknown_.end()) {
    return {found->second, Form::guessed};
  }
  if (unknown_.size() > kMostUnknown) {
    unknown_.clear();
  }
  FieldId const id =
      context_.fields.intern(NetflowElements::name_of(entry.enterprise, entry.number));
  unknown_[key] = id;
  return {id, Form::guessed};
}

void NetflowWriter::write(Element const& element, std::string_view bytes) {
  if (element.field == kUnlisted || element.form == Form::padding) {
    batch_.fields_over += element.form == Form::padding ? 0 : 1;
    return;
  }
  bool const numeric =
      bytes.size() == 1 || bytes.size() == 2 || bytes.size() == 4 || bytes.size() == 8;
  switch (element.form) {
    case Form::number:
      if (bytes.size() <= 8) {
        return number(element.field, NetflowBytes(bytes).number(bytes.size()));
      }
      return octets(element.field, bytes, 0);
    case Form::floating:
      return floating(element.field, bytes);
    case Form::address:
      return address(element.field, bytes);
    case Form::mac:
      return octets(element.field, bytes, ':');
    case Form::text:
      return text(element.field, bytes);
    case Form::application:
      return application(element.field, bytes);
    case Form::guessed:
      return numeric          ? number(element.field, NetflowBytes(bytes).number(bytes.size()))
             : is_text(bytes) ? text(element.field, bytes)
                              : octets(element.field, bytes, 0);
    default:
      // Lists of access are shown as Cisco does, in groups.
      return octets(element.field, bytes, bytes.size() == 12 ? '-' : '\0');
  }
}

void NetflowWriter::add(FieldId id, std::string_view value, Kind kind) {
  batch_.fields.push_back(
      {value.data(), static_cast<std::uint32_t>(value.size()), id, kind, false});
}

void NetflowWriter::number(FieldId id, std::uint64_t value) {
  constexpr std::size_t kMost = 20;
  char* const at = batch_.arena.allocate(kMost);
  auto const size = static_cast<std::size_t>(std::to_chars(at, at + kMost, value).ptr - at);
  batch_.arena.shrink_last(kMost - size);
  add(id, {at, size}, Kind::number);
}

void NetflowWriter::text(FieldId id, std::string_view bytes) {
  add(id, bytes.substr(0, bytes.find_last_not_of('\0') + 1), Kind::text);
}

void NetflowWriter::floating(FieldId id, std::string_view bytes) {
  std::uint64_t const bits = NetflowBytes(bytes).number(bytes.size());
  double const value =
      bytes.size() == 4
          ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)))
          : std::bit_cast<double>(bits);
  if (bytes.size() != 4 && bytes.size() != 8) {
    return octets(id, bytes, 0);
  }
  constexpr std::size_t kMost = 32;
  char* const at = batch_.arena.allocate(kMost);
  auto const size = static_cast<std::size_t>(std::to_chars(at, at + kMost, value).ptr - at);
  batch_.arena.shrink_last(kMost - size);
  add(id, {at, size}, value - value == 0 ? Kind::number : Kind::text);
}

void NetflowWriter::address(FieldId id, std::string_view bytes) {
  Ip ip;
  if (bytes.size() == 4) {
    ip.low = 0xFFFF'0000'0000U | NetflowBytes(bytes).number(4);
  } else if (bytes.size() == 16) {
    NetflowBytes both(bytes);
    ip.high = both.number(8);
    ip.low = both.number(8);
  } else {
    return octets(id, bytes, 0);
  }
  constexpr std::size_t kMost = 46;
  char* const at = batch_.arena.allocate(kMost);
  std::size_t const size = format_ip(ip, at);
  batch_.arena.shrink_last(kMost - size);
  add(id, {at, size}, Kind::text);
}

/// Hexadecimal; ':' between bytes, '-' between groups of four.
void NetflowWriter::octets(FieldId id, std::string_view bytes, char between) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::size_t const every = between == ':' ? 1 : 4;
  char* const begin = batch_.arena.allocate(3 * bytes.size());
  char* at = begin;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (between != '\0' && i > 0 && i % every == 0) {
      *at++ = between;
    }
    auto const byte = static_cast<unsigned char>(bytes[i]);
    *at++ = kDigits[byte >> 4];
    *at++ = kDigits[byte & 15];
  }
  auto const size = static_cast<std::size_t>(at - begin);
  batch_.arena.shrink_last(3 * bytes.size() - size);
  add(id, {begin, size}, Kind::text);
}

/// `3..80`; engine 20 has an enterprise number before the selector.
void NetflowWriter::application(FieldId id, std::string_view bytes) {
  NetflowBytes rest(bytes);
  std::string out = std::to_string(rest.number(1));
  if (out == "20" && rest.left() > 4) {
    out += ".." + std::to_string(rest.u32());
  }
  if (rest.left() == 0 || rest.left() > 8) {
    return octets(id, bytes, 0);
  }
  out += ".." + std::to_string(rest.number(rest.left()));
  add(id, batch_.arena.copy(out), Kind::text);
}

void NetflowWriter::time(FieldId id, Nanos when) {
  if (when != kNever) {
    add(id, batch_.arena.copy(format_time(when)), Kind::text);
  }
}

}  // namespace vedette::decode
