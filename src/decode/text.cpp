// Plain text that is no syslog: a time stamp in front, or near it, in one of the usual shapes, a
// level perhaps, then free text for the templates of the program `@text`. Asked after everybody
// else. A line without a stamp is taken only when a template takes it whole.
#include "decode/declare_field.hpp"
#include "decode/decoder.hpp"
#include "decode/front_stamp.hpp"
#include "decode/syslog_header.hpp"
#include "decode/syslog_stamp.hpp"
#include "decode/templates.hpp"
#include "decode/text_level.hpp"
#include "decode/text_stamp.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace vedette::decode::text {
namespace {

constexpr std::ptrdiff_t kMaxPrefix = 64;  ///< bytes before a stamp
constexpr int kMaxPrefixWords = 5;
constexpr char kEscape = '\x1B';

struct Kept final : Scratch {
  StampReader stamps;
};

struct Names {
  FieldId message, level, prefix;
};

/// A line taken apart.
struct Line {
  std::string_view whole;  ///< without blanks at its ends, without colours
  std::string_view prefix, level, message;
  bool timed = false;
  Nanos time = 0;
};

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view view_of(char const* begin, char const* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

/// The level among the words before a stamp.
std::string_view level_in(std::string_view prefix) {
  std::string_view level;
  char const* p = prefix.data();
  char const* const end = p + prefix.size();
  while (p < end) {
    if (read_level(p, end, level) != nullptr) {
      return level;
    }
    while (p < end && *p != ' ') {
      ++p;
    }
    while (p < end && *p == ' ') {
      ++p;
    }
  }
  return level;
}

/// Removes the colours a terminal would show (`ESC [ ... letter`).
std::string_view without_colours(std::string_view bytes, Arena& arena) {
  char* const out = arena.allocate(bytes.size() + 64);
  char* to = out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != kEscape || i + 1 >= bytes.size() || bytes[i + 1] != '[') {
      *to++ = bytes[i];
      continue;
    }
    std::size_t end = i + 2;
    while (end < bytes.size() && (is_digit(bytes[end]) || bytes[end] == ';')) {
      ++end;
    }
    if (end < bytes.size() && is_letter(bytes[end])) {
      i = end;
    } else {
      *to++ = bytes[i];
    }
  }
  auto const size = static_cast<std::size_t>(to - out);
  std::memset(to, 0, bytes.size() + 64 - size);
  return {out, size};
}

class Text final : public Decoder {
 public:
  Text(std::shared_ptr<TemplateSet const> templates, TypeId type, Names const& names)
      : templates_(std::move(templates)),
        program_(templates_->lookup(kTextProgram)),
        type_(type),
        names_(names) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    Kept own;
    if (context.scratch != nullptr && *context.scratch == nullptr) {
      *context.scratch = std::make_unique<Kept>();
    }
    Kept& kept = context.scratch != nullptr ? static_cast<Kept&>(**context.scratch) : own;
    bool const by_arrival = context.reference == 0;
    std::size_t taken = 0;
    for (Record const& record : records) {
      if (taken == 0) {
        kept.stamps.begin(by_arrival ? record.arrival : context.reference, context.year,
                          context.year_mark, context.options.timezone,
                          context.options.default_offset);
      } else if (by_arrival) {
        kept.stamps.set_reference(record.arrival);
      }
      Line line;
      read(line, record, kept, context.batch.arena);
      if (!emit(line, record, context)) {
        break;
      }
      ++taken;
    }
    if (context.year != 0 && taken != 0) {
      context.year = kept.stamps.year();
      context.year_mark = kept.stamps.year_mark();
    }
    return taken;
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "no time stamp near its front, and no template takes it whole";
  }

  std::string detail(Batch const& batch, Event const& event) const override {
    for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
      if (field->id == names_.message) {
        if (std::string const by = templates_->explain(program_, field->view()); !by.empty()) {
          return "by the template " + by;
        }
      }
    }
    std::string const by = templates_->explain(program_, trim_blanks(event.raw_view()));
    return by.empty() ? "no template takes the message" : "by the template " + by;
  }

 private:
  static void read(Line& line, Record const& record, Kept& kept, Arena& arena);
  bool emit(Line const& line, Record const& record, DecodeContext& context) const;

  std::shared_ptr<TemplateSet const> const templates_;
  ProgramId const program_;
  TypeId const type_;
  Names const names_;
};

/// The stamp at `p` or behind its bracket; moves `p` past it.
bool read_stamp(char const*& p, char const* end, Line& line, StampReader& stamps) {
  char const* const from = p + (p < end && (*p == '[' || *p == '(') ? 1 : 0);
  auto const stamp = parse_text_stamp(from, end);
  if (!stamp) {
    return false;
  }
  line.timed = true;
  line.time = stamp->zoned ? stamp->time : stamps.from_wall(stamp->time);
  p = from + stamp->size;
  return true;
}

void Text::read(Line& line, Record const& record, Kept& kept, Arena& arena) {
  std::size_t const look = std::min<std::size_t>(record.bytes.size(), kMaxPrefix);
  bool const coloured = std::memchr(record.bytes.data(), kEscape, look) != nullptr;
  line.whole = trim_blanks(coloured ? without_colours(record.bytes, arena) : record.bytes);
  char const* const begin = line.whole.data();
  char const* const end = begin + line.whole.size();
  char const* p = begin;
  // The year of these is told by advance_year, which sees the record as it is.
  char const* const raw = record.bytes.data();
  auto const front = parse_front_stamp(raw, raw + record.bytes.size());
  if (front && !coloured) {
    Nanos const time = kept.stamps.read_bsd(*front);
    line.timed = time != kNever;
    line.time = time;
    line.level = level_in(view_of(begin, raw + front->size));
    p = raw + front->size;
  } else {
    for (int words = 0; words <= kMaxPrefixWords && p < end && p - begin < kMaxPrefix; ++words) {
      if (read_stamp(p, end, line, kept.stamps)) {
        break;
      }
      while (p < end && *p != ' ' && p - begin < kMaxPrefix) {
        ++p;
      }
      while (p < end && *p == ' ') {
        ++p;
      }
      char const* const stamp_at = p;
      line.prefix = trim_blanks(view_of(begin, stamp_at));
    }
    if (!line.timed) {
      line.prefix = {};
      line.message = line.whole;
      return;
    }
    line.level = level_in(line.prefix);
  }
  p = skip_stamp_end(p, end);
  if (line.level.empty()) {
    if (char const* const after = read_level(p, end, line.level)) {
      p = skip_stamp_end(after, end);
    }
  }
  line.message = view_of(p, end);
}

bool Text::emit(Line const& line, Record const& record, DecodeContext& context) const {
  Batch& batch = context.batch;
  Event event;
  event.arrival = record.arrival;
  event.time = line.timed ? line.time : record.arrival;
  event.time_from_arrival = !line.timed;
  event.raw = record.bytes.data();
  event.raw_size = static_cast<std::uint32_t>(record.bytes.size());
  event.offset = record.offset;
  event.first_field = static_cast<std::uint32_t>(batch.fields.size());
  event.type = type_;
  auto const put = [&](FieldId id, std::string_view value) {
    if (!value.empty()) {
      Field& field = batch.fields.emplace_back();
      field.data = value.data();
      field.size = static_cast<std::uint32_t>(value.size());
      field.id = id;
    }
  };
  put(names_.prefix, line.prefix);
  put(names_.level, line.level);
  put(names_.message, line.message);
  auto const match = [&](std::string_view message) {
    return program_ != kAnyProgram &&
           templates_->match(program_, message, batch, context.fields, event.type);
  };
  // Words before the stamp may be part of it (an address): then the whole line comes first.
  bool const header = line.message.size() != line.whole.size();
  bool const prefixed = !line.prefix.empty();
  bool const known = (prefixed && match(line.whole)) || match(line.message) ||
                     (header && !prefixed && match(line.whole));
  if (!known && !line.timed) {
    batch.fields.resize(event.first_field);
    return false;
  }
  event.field_count = static_cast<std::uint16_t>(batch.fields.size() - event.first_field);
  batch.events.push_back(event);
  return true;
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  TRY(auto templates, init.templates.get());
  FieldTable& fields = init.catalog.fields();
  Names const names{.message = declare_field(fields, "message", FieldType::text),
                    .level = declare_field(fields, "level", FieldType::word),
                    .prefix = declare_field(fields, "line_prefix", FieldType::text)};
  TypeId const type = init.catalog.add_type(kTextType);
  return std::make_unique<Text>(std::move(templates), type, names);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "text",
          .summary = "plain text with a time stamp in front, by templates",
          .example =
              "2026/03/27 13:06:56 [error] 1291#1291: *7 access forbidden by rule, client: "
              "192.0.2.1, server: www.example.com, request: \"GET /.git/config "
              "HTTP/1.1\", host: \"www.example.com\"",
          .first_bytes = "",
          .order = 900,
          .make = &make};
}

}  // namespace vedette::decode::text
