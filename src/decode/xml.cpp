// XML: one or several elements per record. In a log that opens with XML an element may go over
// several lines (pretty-printed events, with or without `<Events>` around them): they are joined.
#include "decode/decoder.hpp"
#include "decode/xml_fields.hpp"
#include "decode/xml_reader.hpp"

#include <algorithm>
#include <limits>

namespace vedette::decode::xml {
namespace {

constexpr std::size_t kMostWaiting = 256 << 10;  // bytes of lines that one element may have
constexpr std::string_view kBom = "\xEF\xBB\xBF";

std::string_view without_blanks(std::string_view text) {
  if (text.starts_with(kBom)) {
    text.remove_prefix(kBom.size());
  }
  std::size_t const begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// `<Events>` and what else stands around the events of a file; the text without it.
std::string_view without_frame(std::string_view text) {
  text = without_blanks(text);
  while (text.starts_with("<?") || text.starts_with("<Events") || text.starts_with("<!--")) {
    std::string_view const close = text.starts_with("<?")     ? "?>"
                                   : text.starts_with("<!--") ? "-->"
                                                              : ">";
    char const after = text.starts_with("<Events") && text.size() > 7 ? text[7] : ' ';
    std::size_t const end = text.find(close);
    if (end == std::string_view::npos || (after != ' ' && after != '>')) {
      break;
    }
    text = without_blanks(text.substr(end + close.size()));
  }
  while (text.ends_with("</Events>")) {
    text = without_blanks(text.substr(0, text.size() - 9));
  }
  return text;
}

bool begins_element(std::string_view text) {
  return text.size() > 2 && text[0] == '<' &&
         ((text[1] >= 'a' && text[1] <= 'z') || (text[1] >= 'A' && text[1] <= 'Z') ||
          text[1] == '_');
}

/// Which lines are one element: from the line that begins it to the one after which as many of that
/// name have ended as begun. Depends on the lines alone.
class ElementLines {
 public:
  enum class Line : std::uint8_t {
    more,    ///< the element goes on
    last,    ///< the element ends with it, or it is none
    foreign  ///< begins another one: the element before it was cut off
  };

  Line add(std::string_view line) {
    bool const at_margin = begins_element(line);
    if (name_.empty()) {
      line = without_frame(line);
      if (!begins_element(line)) {
        return Line::last;
      }
      std::size_t const end = line.find_first_of(" \t/>", 1);
      name_ = line.substr(1, end == std::string_view::npos ? end : end - 1);
      from_margin_ = at_margin;
    } else if (from_margin_ && at_margin && is_name_at(line, 1)) {
      return Line::foreign;  // children are indented
    }
    count(line);
    return open_ > 0 ? Line::more : Line::last;
  }

 private:
  bool is_name_at(std::string_view line, std::size_t at) const {
    std::string_view const left = line.substr(at);
    if (!left.starts_with(name_)) {
      return false;
    }
    char const after = left.size() > name_.size() ? left[name_.size()] : ' ';
    return after == ' ' || after == '>' || after == '/' || after == '\t' || after == '\r';
  }
  void count(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size()) {
      if (in_tag_) {  // `<Event a="b"` up to its `>`; with `/` before it nothing has begun
        std::size_t const end = line.find('>', at);
        if (end == std::string_view::npos) {
          return;
        }
        open_ -= end > 0 && line[end - 1] == '/' ? 1 : 0;
        in_tag_ = false;
        at = end + 1;
        continue;
      }
      std::size_t const mark = line.find('<', at);
      if (mark == std::string_view::npos) {
        return;
      }
      at = mark + 1;
      if (is_name_at(line, at)) {
        ++open_;
        in_tag_ = true;
      } else if (at < line.size() && line[at] == '/' && is_name_at(line, at + 1)) {
        --open_;
      }
    }
  }

  std::string_view name_;
  std::int64_t open_ = 0;
  bool in_tag_ = false;
  bool from_margin_ = false;
};

/// How many records from the front are the first element (or a line that is none), and whether no
/// more can belong to it.
struct Found {
  std::size_t records = 0;
  bool whole = false;
};
Found first_element(std::span<Record const> records) {
  ElementLines lines;
  std::size_t size = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    ElementLines::Line const line = lines.add(records[i].bytes);
    size += records[i].bytes.size();
    if (line == ElementLines::Line::foreign) {
      return {i, true};
    }
    if (line == ElementLines::Line::last || size > kMostWaiting) {
      return {i + 1, true};
    }
  }
  return {records.size(), false};
}

std::size_t complete(std::span<Record const> records, std::string_view /*context*/) {
  std::size_t done = 0;
  while (done < records.size()) {
    Found const found = first_element(records.subspan(done));
    if (!found.whole) {
      break;
    }
    done += found.records;
  }
  return done;
}

struct XmlScratch final : Scratch {
  explicit XmlScratch(catalog::Catalog const& catalog) : fields(catalog) {}
  XmlFields fields;
};

class Xml final : public Decoder {
 public:
  explicit Xml(catalog::Catalog const& catalog) : catalog_(catalog) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    std::unique_ptr<Scratch> own;
    std::unique_ptr<Scratch>& slot = context.scratch != nullptr ? *context.scratch : own;
    if (slot == nullptr) {
      slot = std::make_unique<XmlScratch>(catalog_);
    }
    XmlFields& fields = static_cast<XmlScratch&>(*slot).fields;
    std::size_t taken = 0;
    while (taken < records.size()) {
      std::span<Record const> const rest = records.subspan(taken);
      std::size_t const count = context.opened ? first_element(rest).records : 1;
      if (!element(rest.first(count), fields, context)) {
        if (count == 1) {
          break;
        }
        keep_broken(rest.first(count), context.batch);
      }
      taken += count;
    }
    return taken;
  }

  std::string refusal(std::string_view record) const override {
    XmlReader reader(without_frame(record));
    std::size_t depth = 0;
    while (true) {
      switch (reader.next()) {
        case XmlReader::Token::start:
          ++depth;
          break;
        case XmlReader::Token::end:
          --depth;
          break;
        case XmlReader::Token::broken:
          return "byte " + std::to_string(reader.place() + 1) + ": " + reader.error();
        case XmlReader::Token::done:
          return depth == 0 ? "no element, or end tags of others" : "an element is not closed";
        default:
          break;
      }
    }
  }

 private:
  /// The lines of an element as one text: they lie one after the other, else they are copied.
  static std::string_view text_of(std::span<Record const> records, Arena& arena) {
    std::string_view const first = records.front().bytes;
    std::string_view const last = records.back().bytes;
    if (records.size() == 1) {
      return first;
    }
    bool together = true;  // with nothing but line ends between them
    std::size_t size = first.size();
    for (std::size_t i = 1; i < records.size(); ++i) {
      std::string_view const bytes = records[i].bytes;
      char const* between = records[i - 1].bytes.data() + records[i - 1].bytes.size();
      while (together && between < bytes.data()) {
        together = *between == '\n' || *between == '\r';
        ++between;
      }
      size += 1 + bytes.size();
    }
    if (together) {
      return {first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data())};
    }
    char* const text = arena.allocate(size);
    char* at = text;
    for (Record const& record : records) {
      if (at != text) {
        *at++ = '\n';
      }
      at = std::copy(record.bytes.begin(), record.bytes.end(), at);
    }
    return {text, static_cast<std::size_t>(at - text)};
  }

  /// The events of the records that make one text; false: no XML, nothing was added.
  static bool element(std::span<Record const> records, XmlFields& fields, DecodeContext& context) {
    Batch& batch = context.batch;
    std::string_view const whole = text_of(records, batch.arena);
    std::string_view const text = without_frame(whole);
    if (text.empty() && context.opened && !whole.empty()) {
      batch.joined += records.size();
      return true;
    }
    std::size_t const events = batch.events.size();
    std::size_t const first = batch.fields.size();
    XmlReader reader(text);
    std::size_t begin = 0;
    XmlReader::Token token = reader.next();
    while (token != XmlReader::Token::done) {
      std::size_t const parts = batch.events.size() - events;
      std::size_t const first_field = batch.fields.size();
      bool const blank = token == XmlReader::Token::text && without_blanks(reader.value()).empty();
      if (!blank && (token != XmlReader::Token::start || !fields.read(reader, context) ||
                     parts > std::numeric_limits<std::uint16_t>::max() - 1U)) {
        batch.events.resize(events);
        batch.fields.resize(first);
        return false;
      }
      if (!blank) {
        emit(records.front(), text.substr(begin, reader.place() - begin), parts, first_field,
             batch);
      }
      begin = reader.place();
      token = reader.next();
    }
    std::size_t const parts = batch.events.size() - events;
    if (parts == 0) {
      return false;
    }
    if (parts == 1) {  // then the record is the event, with all that stands around it
      batch.events.back().raw = whole.data();
      batch.events.back().raw_size = static_cast<std::uint32_t>(whole.size());
    }
    batch.joined += records.size() - 1;
    return true;
  }

  /// Lines that belong together and are no XML: one event that nobody has understood.
  static void keep_broken(std::span<Record const> records, Batch& batch) {
    emit(records.front(), text_of(records, batch.arena), 0, batch.fields.size(), batch);
    batch.events.back().by_map = false;
    batch.joined += records.size() - 1;
  }

  static void emit(Record const& record, std::string_view raw, std::size_t part,
                   std::size_t first_field, Batch& batch) {
    Event event;
    event.time = record.arrival;  // normalize/ finds the event's own time
    event.time_from_arrival = true;
    event.by_map = true;
    event.arrival = record.arrival;
    event.raw = raw.data();
    event.raw_size = static_cast<std::uint32_t>(raw.size());
    event.first_field = static_cast<std::uint32_t>(first_field);
    event.field_count = static_cast<std::uint16_t>(batch.fields.size() - first_field);
    event.offset = record.offset;
    event.part = static_cast<std::uint16_t>(part);
    batch.events.push_back(event);
  }

  catalog::Catalog const& catalog_;
};

bool looks_like(std::string_view record) {
  char const* const at = record.data() + (record.starts_with(kBom) ? kBom.size() : 0);
  if (*at == '<') {
    return at[1] == '?' || at[1] == '!' || at[1] == '_' || (at[1] >= 'A' && at[1] <= 'Z') ||
           (at[1] >= 'a' && at[1] <= 'z');
  }
  std::string_view const text = without_blanks(record.substr(0, 64));
  return begins_element(text);
}

bool opens(std::string_view first_record) {
  std::string_view const text = without_blanks(first_record);
  return text.starts_with("<?xml") || text.starts_with("<!--") || begins_element(text);
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Xml>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "xml",
          .summary = "XML elements, also over several lines; Windows events by their own names",
          .example = R"(<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">)"
                     R"(<System><Provider Name="Microsoft-Windows-Security-Auditing"/>)"
                     R"(<EventID>4625</EventID><TimeCreated SystemTime="2026-03-27T13:06:56Z"/>)"
                     R"(<Channel>Security</Channel><Computer>pc1.example.com</Computer></System>)"
                     R"(<EventData><Data Name="TargetUserName">bob</Data>)"
                     R"(<Data Name="IpAddress">192.0.2.7</Data></EventData></Event>)",
          .first_bytes = "< \t\xEF",
          .order = 15,
          .make = &make,
          .looks_like = &looks_like,
          .opens = &opens,
          .anywhere = true,
          .complete = &complete};
}

}  // namespace vedette::decode::xml
