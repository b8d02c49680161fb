#include "decode/envelope.hpp"

#include "decode/byte_bits.hpp"
#include "decode/envelope_path.hpp"
#include "decode/json_cursor.hpp"
#include "decode/json_quotes.hpp"
#include "decode/unpack.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace vedette::decode {
namespace envelope {
namespace {

constexpr std::size_t kPadding = 64;
constexpr std::string_view kCookie = "@cee:";

std::string_view trimmed(std::string_view text) {
  auto const blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// Whether a syslog message may be more than text, by how it begins.
bool may_begin_payload(std::string_view text) {
  char const c = text.front();
  return text.starts_with("audit: type=") || c == '{' || c == '<' || c == 'C' || c == 'L' ||
         c == '@' || c == '[' || (c >= '0' && c <= '9');
}

}  // namespace
}  // namespace envelope

Envelope::Envelope(catalog::Catalog const& catalog) {
  name(catalog, Role::list, {"Records", "records", "detail.records", "payload.records"});
  name(catalog, Role::lines, {"logEvents"});
  name(catalog, Role::text,
       {"event.original", "_raw", "result._raw", "@message", "log", "original.log", "line",
        "rawEvent", "raw_event", "properties.log"});
  name(catalog, Role::base64,
       {"awslogs.data", "kinesis.data", "Kinesis.data", "data", "message.data"});
  name(catalog, Role::tagged, {"MESSAGE", "SyslogMessage"});
  name(catalog, Role::message,
       {"message", "original.message", "msg", "full_message", "short_message", "event", "payload",
        "body"});
  name(catalog, Role::program, {"SYSLOG_IDENTIFIER", "_COMM", "ProcessName"});
  name(catalog, Role::pid, {"SYSLOG_PID", "_PID", "ProcessID"});
  name(catalog, Role::priority, {"PRIORITY"});
  name(catalog, Role::facility, {"SYSLOG_FACILITY"});
  name(catalog, Role::carrier,
       {"splunk.host", "splunk.source", "splunk.sourcetype", "splunk.index", "splunk.time",
        "log.file.path", "log.offset"});
  name(catalog, Role::level, {"level", "lvl", "levelname", "log.level", "severity"});
  for (catalog::CommonField const& field : catalog.common()) {
    envelope_names_.push_back(catalog.fields().intern("envelope." + field.name));
  }
  message_ = catalog.fields().intern("message");
  facility_ = catalog.fields().intern("syslog.facility");
  severity_ = catalog.fields().intern("syslog.severity");
  if (catalog::LogType const* const plain = catalog.find_type("linux/syslog")) {
    plain_ = plain->id;
  }
}

void Envelope::name(catalog::Catalog const& catalog, Role role,
                    std::initializer_list<char const*> names) {
  for (char const* const one : names) {
    auto const index = static_cast<std::size_t>(catalog.fields().intern(one));
    if (roles_.size() <= index) {
      roles_.resize(index + 1);
    }
    roles_[index] = {role, next_rank_++};
  }
}

/// One call of unwrap().
class Envelope::Work {
 public:
  Work(Envelope const& names, DecodeContext& context, PayloadDecoder& decoder)
      : names_(names), context_(context), batch_(context.batch), decoder_(decoder) {}

  void run(std::size_t from, Maker made_by) {
    std::size_t first = from;
    for (std::size_t i = from; !paths().empty() && i < batch_.events.size(); ++i) {
      lift_members(context_, batch_.events[i]);
    }
    while (first < batch_.events.size() && find(batch_.events[first], made_by).place == kNone) {
      ++first;
    }
    if (first == batch_.events.size()) [[likely]] {
      return;
    }
    std::vector<Event> const outer(batch_.events.begin() + static_cast<std::ptrdiff_t>(first),
                                   batch_.events.end());
    batch_.events.resize(first);
    for (Event const& event : outer) {
      std::size_t const begin = batch_.events.size();
      elements_ = 0;
      if (!open(event, made_by, 0)) {
        batch_.events.push_back(event);
      }
      number(begin, event);
    }
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  struct Found {
    std::uint32_t place = kNone;  // in batch.fields
    Role role = Role::none;
    bool logger = false;  // a level stands beside it
    bool line = false;    // it is a log line, whatever its name
  };

  std::vector<std::string> const& paths() const { return context_.options.envelope; }

  /// The first field that the source's configuration names.
  Found find_configured(Event const& event) const {
    for (std::string const& path : paths()) {
      for (std::uint32_t i = event.first_field; i < event.first_field + event.field_count; ++i) {
        Field const& field = batch_.fields[i];
        if (field.id == kUnlisted || name_of(field.id) != path) {
          continue;
        }
        if (field.kind == Kind::list || (field.kind == Kind::text && field.size > 1)) {
          return {i, field.kind == Kind::list ? Role::list : Role::text, false, true};
        }
      }
    }
    return {};
  }

  std::string_view name_of(FieldId id) const { return context_.fields.table().name(id); }

  static bool is_list(Role role) { return role == Role::list || role == Role::lines; }

  Found find(Event const& event, Maker made_by) const {
    if (made_by == Maker::syslog) {
      return find_in_syslog(event);
    }
    if (!paths().empty()) {
      if (Found const configured = find_configured(event); configured.place != kNone) {
        return configured;
      }
    }
    Found out;
    bool logger = false, line = false;
    unsigned best = 256;
    for (std::uint32_t i = event.first_field; i < event.first_field + event.field_count; ++i) {
      Field const& field = batch_.fields[i];
      if (field.id == kUnlisted) {
        ++i;
        continue;
      }
      Named const named = names_.named(field.id);
      logger = logger || named.role == Role::level;
      line = line || named.role == Role::carrier;
      if (named.role == Role::none || named.role >= Role::program || named.rank >= best) {
        continue;
      }
      bool const fits = is_list(named.role) ? field.kind == Kind::list
                                            : field.kind == Kind::text && field.size > 1;
      if (fits) {
        best = named.rank;
        out = {i, named.role};
      }
    }
    out.logger = logger;
    out.line = line;
    return out;
  }

  Found find_in_syslog(Event const& event) const {
    for (std::uint32_t i = event.first_field; i < event.first_field + event.field_count; ++i) {
      Field const& field = batch_.fields[i];
      if (field.id != names_.message_) {
        continue;
      }
      // Programs that have templates write texts; of those nobody knows any text may be a format.
      bool const plain = event.type == names_.plain_ || event.type == kUnknownType;
      unsigned const formats = formats_in_syslog(field, plain ? Role::text : Role::message);
      bool const may = field.size > 1 && (plain || envelope::may_begin_payload(field.view())) &&
                       (field.data[0] == '@' || decoder_.may_be_payload(field.view(), formats));
      return may ? Found{i, plain ? Role::text : Role::message} : Found{};
    }
    return {};
  }

  /// A stamp alone does not make a message a syslog line in a syslog line; a priority does.
  static unsigned formats_in_syslog(Field const& field, Role role) {
    return (role == Role::text ? PayloadDecoder::kLoose : PayloadDecoder::kShaped) |
           (field.size > 0 && field.data[0] == '<' ? PayloadDecoder::kSyslog
                                                   : PayloadDecoder::kShaped);
  }
  static unsigned formats_of(Found const& found) {
    if (found.role == Role::text || found.role == Role::tagged || found.line) {
      return PayloadDecoder::kSyslog | PayloadDecoder::kLoose;
    }
    return PayloadDecoder::kSyslog |
           (found.logger ? PayloadDecoder::kTemplates : PayloadDecoder::kShaped);
  }

  /// Puts the events of the payload behind those of the batch. False: there is none.
  bool open(Event const& event, Maker made_by, unsigned depth, bool line = false) {
    if (depth >= kMaxDepth) {
      return false;
    }
    Found found = find(event, made_by);
    if (found.place == kNone) {
      return false;
    }
    if (is_list(found.role)) {
      return open_list(event, found, depth);
    }
    found.line = found.line || line;
    std::string_view const payload = text_of(event, found);
    if (payload.empty()) {
      return false;
    }
    unsigned const formats = made_by == Maker::syslog
                                 ? formats_in_syslog(batch_.fields[found.place], found.role)
                                 : formats_of(found);
    return open_one(event, payload, found, formats, depth);
  }

  /// The payload with padding behind it; "" when it is none.
  std::string_view text_of(Event const& event, Found const& found) {
    Field const field = batch_.fields[found.place];
    std::string_view text = field.view();
    invented_ = false;
    if (field.escaped) {
      char* const out = batch_.arena.allocate(text.size() + envelope::kPadding);
      std::size_t const size = unescape_json(text, out);
      std::memset(out + size, 0, envelope::kPadding);
      text = {out, size};
    }
    text = envelope::trimmed(text);
    if (found.role == Role::base64) {
      std::string_view const bytes = decode_base64(text, batch_.arena);
      return envelope::trimmed(is_gzip(bytes) ? gunzip(bytes, batch_.arena) : bytes);
    }
    if (found.role == Role::tagged) {
      return with_header(event, text);
    }
    if (text.starts_with(envelope::kCookie)) {
      text = envelope::trimmed(text.substr(envelope::kCookie.size()));
    }
    return text;
  }

  /// The text as a syslog line of its program: `<13>program[pid]: text`. A text that is more than
  /// text is left as it is.
  std::string_view with_header(Event const& event, std::string_view text) {
    if (text.empty() || text.front() == '{') {
      return text;
    }
    std::array<std::string_view, 4> parts;  // program, pid, priority, facility
    for (std::uint32_t i = event.first_field; i < event.first_field + event.field_count; ++i) {
      Field& field = batch_.fields[i];
      Named const named = field.id == kUnlisted ? Named{} : names_.named(field.id);
      i += field.id == kUnlisted ? 1 : 0;
      if (named.role < Role::program || named.role > Role::facility || field.size == 0) {
        continue;
      }
      auto& part =
          parts[static_cast<std::size_t>(named.role) - static_cast<std::size_t>(Role::program)];
      part = part.empty() ? batch_.text(field) : part;
    }
    auto const number = [](std::string_view digits, unsigned otherwise) {
      auto const value = parse_int(digits);
      return value && *value >= 0 && *value < 24 ? static_cast<unsigned>(*value) : otherwise;
    };
    std::string_view const program = parts[0].substr(0, 64);
    if (program.empty() || program.find_first_of(" []:\n") != std::string_view::npos) {
      return {};
    }
    unsigned const priority = 8 * number(parts[3], 1) + std::min(number(parts[2], 6), 7U);
    invented_ = parts[2].empty();
    std::string head = "<" + std::to_string(priority) + ">";
    head.append(program);
    if (!parts[1].empty() && parts[1].size() <= 10) {
      head.append("[").append(parts[1]).append("]");
    }
    head += ": ";
    char* const out = batch_.arena.allocate(head.size() + text.size() + envelope::kPadding);
    std::memcpy(out, head.data(), head.size());
    std::memcpy(out + head.size(), text.data(), text.size());
    std::memset(out + head.size() + text.size(), 0, envelope::kPadding);
    return {out, head.size() + text.size()};
  }

  bool open_one(Event const& event, std::string_view payload, Found const& found, unsigned formats,
                unsigned depth) {
    std::size_t const begin = batch_.events.size();
    std::size_t const fields = batch_.fields.size();
    Record const record{payload, event.offset, event.arrival};
    if (!decoder_.may_be_payload(payload, formats) || !decoder_.decode_payload(record, formats)) {
      batch_.events.resize(begin);
      batch_.fields.resize(fields);
      return false;
    }
    if (invented_) {
      remove_priority(begin);
    }
    settle(begin, depth);
    // Several events in one text: the text is theirs together, and each has its own part as raw.
    bool const several = batch_.events.size() - begin > 1;
    for (std::size_t i = begin; i < batch_.events.size(); ++i) {
      if (!several) {
        batch_.events[i].raw = event.raw;
        batch_.events[i].raw_size = event.raw_size;
      }
      join(batch_.events[i], event, several ? found.place : kNone, several);
    }
    return true;
  }

  /// The source did not say them.
  void remove_priority(std::size_t begin) {
    for (std::size_t i = begin; i < batch_.events.size(); ++i) {
      Event& event = batch_.events[i];
      Field* const end = std::remove_if(
          batch_.begin(event), batch_.end(event),
          [&](Field const& f) { return f.id == names_.facility_ || f.id == names_.severity_; });
      event.field_count = static_cast<std::uint16_t>(end - batch_.begin(event));
    }
  }

  /// Payloads in the events from `begin` on, which a decoder has just made.
  /// `line`: their messages are log lines.
  void settle(std::size_t begin, unsigned depth, bool line = false) {
    std::vector<Event> const made(batch_.events.begin() + static_cast<std::ptrdiff_t>(begin),
                                  batch_.events.end());
    batch_.events.resize(begin);
    for (Event const& event : made) {
      // Of syslog lines fields are in another order than of objects; both may be asked for both.
      if (!open(event, event.type == kUnknownType ? Maker::json : Maker::syslog, depth + 1, line)) {
        batch_.events.push_back(event);
      }
    }
  }

  /// The elements of a list of objects, each an event.
  bool open_list(Event const& event, Found const& found, unsigned depth) {
    std::uint32_t const place = found.place;
    std::string_view const list = batch_.fields[place].view();
    if (list.size() > QuoteIndex::kMaxText) {
      return false;
    }
    QuoteIndex quotes(byte_bits());
    JsonSkipper skipper;
    JsonCursor cursor(list, quotes.build(list));
    ++cursor.place;
    cursor.skip_blanks();
    if (cursor.peek() != '{') {
      return false;
    }
    while (cursor.peek() == '{' && elements_ < kMaxElements) {
      ++elements_;
      std::uint32_t const start = cursor.place;
      if (!skipper.skip(cursor)) {
        break;
      }
      add_element(event, list.substr(start, cursor.place - start), found, depth);
      cursor.skip_blanks();
      if (cursor.peek() == ',') {
        ++cursor.place;
        cursor.skip_blanks();
      }
    }
    if (cursor.peek() != ']') {  // no objects from here on, or too many: kept as they are
      add_rest(event, list.substr(cursor.place), place);
    }
    return true;
  }

  void add_element(Event const& event, std::string_view text, Found const& found, unsigned depth) {
    std::size_t const begin = batch_.events.size();
    std::size_t const fields = batch_.fields.size();
    if (!decoder_.decode_payload({text, event.offset, event.arrival}, PayloadDecoder::kShaped)) {
      batch_.events.resize(begin);
      batch_.fields.resize(fields);
      add_rest(event, text, found.place);
      return;
    }
    settle(begin, depth, found.role == Role::lines);
    for (std::size_t i = begin; i < batch_.events.size(); ++i) {
      join(batch_.events[i], event, found.place, true);
    }
  }

  void add_rest(Event const& event, std::string_view text, std::uint32_t place) {
    Event rest = event;
    rest.raw = text.data();
    rest.raw_size = static_cast<std::uint32_t>(text.size());
    rest.first_field = static_cast<std::uint32_t>(batch_.fields.size());
    rest.field_count = 0;
    batch_.events.push_back(rest);
    join(batch_.events.back(), event, place, true);
  }

  /// Fields, time and type of the envelope for what was in it.
  void join(Event& inner, Event const& outer, std::uint32_t without, bool shared) {
    std::vector<FieldId>& names = names_buffer_;
    names.clear();
    auto const first = static_cast<std::uint32_t>(batch_.fields.size());
    for (std::uint32_t i = 0; i < inner.field_count; ++i) {
      Field const field = batch_.fields[inner.first_field + i];
      batch_.fields.push_back(field);
      names.push_back(field.id);
    }
    std::sort(names.begin(), names.end());
    std::size_t copied = 0;
    for (std::uint32_t i = outer.first_field; i < outer.first_field + outer.field_count; ++i) {
      Field field = batch_.fields[i];
      bool const unlisted = field.id == kUnlisted;
      if (i == without) {
        continue;
      }
      if ((shared && copied >= kMaxShared) ||
          batch_.fields.size() - first + 2 > kMaxFieldsOfEvent) {
        ++batch_.fields_over;
        i += unlisted ? 1 : 0;
        continue;
      }
      ++copied;
      if (unlisted) {
        batch_.fields.push_back(field);
        field = batch_.fields[++i];
      } else if (std::binary_search(names.begin(), names.end(), field.id)) {
        field.id = envelope_name(field.id);
        if (field.id == kUnlisted) {
          ++batch_.fields_over;
          continue;
        }
      }
      batch_.fields.push_back(field);
    }
    inner.first_field = first;
    inner.field_count = static_cast<std::uint16_t>(batch_.fields.size() - first);
    if (inner.time_from_arrival) {
      inner.time = outer.time;
      inner.time_from_arrival = outer.time_from_arrival;
      inner.open_time = true;
    }
    inner.type = inner.type == kUnknownType ? outer.type : inner.type;
    inner.repeat = std::max(inner.repeat, outer.repeat);
    inner.open_type = true;
  }

  FieldId envelope_name(FieldId id) {
    auto const index = static_cast<std::size_t>(id);
    if (index < names_.envelope_names_.size()) {
      return names_.envelope_names_[index];
    }
    std::string_view const name = context_.fields.table().name(id);
    return context_.fields.intern("envelope." + std::string(name));
  }

  /// Parts in order; what the outer record says of all its events.
  void number(std::size_t begin, Event const& outer) {
    for (std::size_t i = begin; i < batch_.events.size(); ++i) {
      batch_.events[i].part = static_cast<std::uint16_t>(outer.part + (i - begin));
      batch_.events[i].offset = outer.offset;
    }
  }

  static constexpr std::size_t kMaxFieldsOfEvent = 8192;

  Envelope const& names_;
  DecodeContext& context_;
  Batch& batch_;
  PayloadDecoder& decoder_;
  std::vector<FieldId> names_buffer_;
  std::size_t elements_ = 0;
  bool invented_ = false;  // the priority of the header made for the latest payload
};

void Envelope::unwrap(DecodeContext& context, std::size_t from, Maker made_by,
                      PayloadDecoder& decoder) const {
  Work(*this, context, decoder).run(from, made_by);
}

}  // namespace vedette::decode
