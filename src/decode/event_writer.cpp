#include "decode/event_writer.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vedette::decode {
namespace event_writer {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads a stamp from the front, part by part.
class StampText {
 public:
  explicit StampText(std::string_view text) : text_(text) {}

  bool joined = false;  ///< the clock follows without a separator of its own

  bool done() const { return place_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[place_]; }
  bool skip(char c) {
    bool const there = !done() && text_[place_] == c;
    place_ += there ? 1 : 0;
    return there;
  }
  bool skip_one_of(std::string_view all) {
    bool const there = !done() && all.contains(text_[place_]);
    place_ += there ? 1 : 0;
    return there;
  }
  /// `least` to `most` digits.
  bool number(std::size_t least, std::size_t most, unsigned& out) {
    std::size_t const begin = place_;
    for (out = 0; !done() && is_digit(text_[place_]) && place_ - begin < most; ++place_) {
      out = out * 10 + static_cast<unsigned>(text_[place_] - '0');
    }
    return place_ - begin >= least && !is_digit(peek());
  }
  bool month(unsigned& out) {
    static constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
    std::string const name = ascii_lower_copy(text_.substr(place_, 3));
    std::size_t const at = name.size() == 3 ? kMonths.find(name) : std::string_view::npos;
    if (at == std::string_view::npos || at % 3 != 0) {
      return false;
    }
    out = static_cast<unsigned>(at / 3 + 1);
    place_ += 3;
    return true;
  }
  /// `13:06:56[.123]`
  bool clock(Civil& out) {
    if (!number(1, 2, out.hour) || !skip(':') || !number(2, 2, out.minute) || !skip(':') ||
        !number(2, 2, out.second)) {
      return false;
    }
    out.nanos = 0;
    if (skip_one_of(".,")) {
      std::uint32_t unit = 100'000'000;
      for (; is_digit(peek()); ++place_, unit /= 10) {
        out.nanos += static_cast<std::uint32_t>(text_[place_] - '0') * unit;
      }
    }
    return true;
  }
  /// Nothing, `Z`, `UTC`, `GMT`, `+0100`, `+01:00`; seconds east of UTC.
  bool zone(int& east, bool& given) {
    east = 0;
    given = false;
    skip(' ');
    if (done()) {
      return true;
    }
    given = true;
    std::string_view const rest = text_.substr(place_);
    if (rest == "Z" || rest == "UTC" || rest == "GMT") {
      return true;
    }
    int const sign = peek() == '-' ? -1 : 1;
    unsigned hours = 0;
    unsigned minutes = 0;
    if (!skip_one_of("+-")) {
      return false;
    }
    if (text_.size() - place_ == 4) {
      if (!number(4, 4, hours)) {
        return false;
      }
      minutes = hours % 100;
      hours /= 100;
    } else if (!number(2, 2, hours) || !skip(':') || !number(2, 2, minutes)) {
      return false;
    }
    east = sign * static_cast<int>(hours * 3600 + minutes * 60);
    return done() && hours <= 24 && minutes < 60;
  }

 private:
  std::string_view text_;
  std::size_t place_ = 0;
};

/// `2026/03/27 13:06:56`, `Mar 27 2026 13:06:56`, `27/Mar/2026:13:06:56`, `27 Mar 2026 13:06:56`.
bool read_date(StampText& text, Civil& out) {
  unsigned year = 0;
  out.month = 0;
  if (text.month(out.month)) {
    if (!text.skip(' ')) {
      return false;
    }
    text.skip(' ');
    if (!text.number(1, 2, out.day) || !text.skip_one_of(", ")) {
      return false;
    }
    text.skip(' ');
    if (!text.number(4, 4, year)) {
      return false;
    }
  } else {
    unsigned first = 0;
    if (!text.number(1, 4, first) || !text.skip_one_of("/- ")) {
      return false;
    }
    if (first >= 1000) {
      year = first;
      if (!text.number(1, 2, out.month) || !text.skip_one_of("/-") || !text.number(1, 2, out.day)) {
        return false;
      }
    } else if (is_digit(text.peek())) {  // Snort: month/day/year-clock
      out.month = first;
      if (!text.number(1, 2, out.day) || !text.skip('/') || !text.number(2, 4, year) ||
          text.peek() != '-') {
        return false;
      }
      text.skip('-');
      text.joined = true;
      year += year < 100 ? 2000 : 0;
    } else {
      out.day = first;
      if (!text.month(out.month) || !text.skip_one_of("/- ") || !text.number(4, 4, year)) {
        return false;
      }
    }
  }
  out.year = static_cast<int>(year);
  return true;
}

/// Ten digits are seconds, thirteen milliseconds, and so on; seconds may have a fraction.
std::optional<Nanos> read_epoch(std::string_view text) {
  std::size_t const digits = std::min(text.find_first_not_of("0123456789"), text.size());
  Nanos const unit = digits == 9 || digits == 10 ? kSecond
                     : digits == 13              ? kMillisecond
                     : digits == 16              ? kMicrosecond
                     : digits == 19              ? 1
                                                 : 0;
  if (unit == 0) {
    return std::nullopt;
  }
  auto const whole = parse_int(text.substr(0, digits));
  if (!whole || *whole > kForever / unit) {
    return std::nullopt;
  }
  Nanos time = *whole * unit;
  text.remove_prefix(digits);
  if (text.empty()) {
    return time;
  }
  if (text[0] != '.' || unit != kSecond || text.size() > 20) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  Nanos part = kSecond;
  for (char const c : text) {
    if (!is_digit(c)) {
      return std::nullopt;
    }
    part /= 10;
    time = add_clamped(time, part * (c - '0'));
  }
  return time;
}

}  // namespace
}  // namespace event_writer

FieldId original_id(catalog::Catalog const& catalog, std::string_view name) {
  std::string full(name);
  if (is_reserved_name(name, catalog)) {
    full.insert(0, "original.");
  }
  return catalog.fields().intern(full);
}

EventWriter::EventWriter(DecodeContext& context, WriterScratch& kept)
    : context_(context), batch_(context.batch), kept_(kept) {
  if (kept_.zone_name != context.options.timezone) {
    auto loaded = Timezone::load(context.options.timezone);
    kept_.zone = loaded ? std::move(*loaded) : Timezone{};
    kept_.zone_name = context.options.timezone;
  }
}

void EventWriter::begin(Record const& record) {
  kept_.names.begin_record();
  last_ = JsonNames::kNone;
  event_ = Event{};
  event_.time = record.arrival;
  event_.arrival = record.arrival;
  event_.time_from_arrival = true;
  event_.by_map = true;
  event_.raw = record.bytes.data();
  event_.raw_size = static_cast<std::uint32_t>(record.bytes.size());
  event_.offset = record.offset;
  event_.first_field = static_cast<std::uint32_t>(batch_.fields.size());
}

void EventWriter::add(FieldId id, std::string_view value, Kind kind) {
  if (count() >= kMaxFields) {
    ++batch_.fields_over;
    return;
  }
  batch_.fields.push_back(
      {value.data(), static_cast<std::uint32_t>(value.size()), id, kind, false});
}

void EventWriter::add_named(std::string_view name, std::string_view value, Kind kind) {
  if (value.empty()) {
    return;
  }
  if (count() + 1 >= kMaxFields) {
    ++batch_.fields_over;
    return;
  }
  last_ = kept_.names.child(JsonNames::kRoot, last_, name);
  FieldId const id = kept_.names.field(last_, context_.fields);
  if (id == kUnlisted) {
    add(id, batch_.arena.copy(kept_.names.unlisted_name(last_)));
  }
  add(id, value, kind);
}

void EventWriter::set_time(Nanos time) {
  event_.time = time;
  event_.time_from_arrival = false;
}

bool EventWriter::use_time_of(FieldId id) { return use_time(value_of(id)); }

bool EventWriter::use_time(std::string_view text) {
  auto const written = parse_written_time(text);
  if (written) {
    set_time(written->has_zone ? written->time : to_utc(written->time));
  }
  return written.has_value();
}

std::string_view EventWriter::value_of(FieldId id) const {
  for (std::size_t i = event_.first_field; i < batch_.fields.size(); ++i) {
    if (batch_.fields[i].id == id) {
      return batch_.fields[i].view();
    }
  }
  return {};
}

void EventWriter::finish(TypeId type) {
  event_.type = type;
  event_.field_count = static_cast<std::uint16_t>(count());
  batch_.events.push_back(event_);
}

Nanos EventWriter::to_utc(Nanos local) {
  return context_.options.timezone.empty()
             ? subtract_clamped(local, context_.options.default_offset * kSecond)
             : kept_.zone.to_utc(local);
}

Kind EventWriter::kind_of(std::string_view value) {
  std::size_t i = value.starts_with('-') ? 1 : 0;
  std::size_t const begin = i;
  if (value.size() > 18 || value.size() == i) {
    return Kind::text;
  }
  while (i < value.size() && event_writer::is_digit(value[i])) {
    ++i;
  }
  if (i == begin || (value[begin] == '0' && i > begin + 1)) {
    return Kind::text;
  }
  if (i + 1 < value.size() && value[i] == '.') {
    ++i;
    while (i < value.size() && event_writer::is_digit(value[i])) {
      ++i;
    }
  }
  return i == value.size() ? Kind::number : Kind::text;
}

std::optional<WrittenTime> parse_written_time(std::string_view text) {
  if (text.size() < 9 || text.size() > 64) {
    return std::nullopt;
  }
  if (auto const epoch = event_writer::read_epoch(text)) {
    return WrittenTime{*epoch, true};
  }
  if (auto const iso = parse_iso_time(text)) {
    return WrittenTime{*iso, text.back() == 'Z' || parse_iso_time(text, 3600) == iso};
  }
  event_writer::StampText stamp(text);
  Civil civil{};
  int east = 0;
  WrittenTime out;
  if (!event_writer::read_date(stamp, civil) || (!stamp.joined && !stamp.skip_one_of(" :T")) ||
      !stamp.clock(civil) || !stamp.zone(east, out.has_zone)) {
    return std::nullopt;
  }
  auto const local = from_civil(civil);
  if (!local) {
    return std::nullopt;
  }
  out.time = *local - east * kSecond;
  return out;
}

}  // namespace vedette::decode
