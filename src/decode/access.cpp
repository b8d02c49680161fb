// Access logs of web servers: the common and the combined format of Apache and nginx, with or
// without a virtual host in front and further fields behind.
//   [VHOST[:PORT] ]CLIENT IDENT USER [TIME] "REQUEST" STATUS BYTES[ "REFERER" "AGENT"[ ...]]
// One pass over the line; texts are views unless the server wrote escapes into them.
#include "decode/access_line.hpp"
#include "decode/decoder.hpp"

#include <algorithm>

namespace vedette::decode::access {
namespace {

/// Ids of the fields that are set here.
struct Ids {
  explicit Ids(FieldTable& table)
      : src_ip(table.intern("src_ip")),
        original_src_ip(table.intern("original.src_ip")),
        dst_ip(table.intern("dst_ip")),
        dst_port(table.intern("dst_port")),
        domain(table.intern("domain")),
        user(table.intern("user")),
        url(table.intern("url")),
        file(table.intern("file")),
        http_method(table.intern("http_method")),
        protocol(table.intern("protocol")),
        http_status(table.intern("http_status")),
        bytes_out(table.intern("bytes_out")),
        user_agent(table.intern("user_agent")),
        action(table.intern("action")),
        outcome(table.intern("outcome")),
        ident(table.intern("ident")),
        request(table.intern("request")),
        referer(table.intern("referer")),
        request_time(table.intern("request_time")),
        x_forwarded_for(table.intern("x_forwarded_for")),
        extra(table.intern("extra")) {}
  FieldId src_ip, original_src_ip, dst_ip, dst_port, domain, user, url, file, http_method, protocol,
      http_status, bytes_out, user_agent, action, outcome, ident, request, referer, request_time,
      x_forwarded_for, extra;
};

/// Turns a parsed line into fields of the batch.
class FieldWriter {
 public:
  FieldWriter(Batch& batch, Ids const& ids) : batch_(batch), ids_(ids) {}

  /// `escapes`: there is a backslash somewhere in the line.
  void write(Line const& line, bool escapes) {
    escapes_ = escapes;
    if (!line.vhost.empty()) {
      vhost(line.vhost);
    }
    add_given(parse_ip(line.client) ? ids_.src_ip : ids_.original_src_ip, line.client);
    add_given(ids_.ident, line.ident);
    add_given(ids_.user, line.user);
    request(resolved(line.request.text));
    status(line.status);
    if (!line.bytes.empty() && line.bytes != "-") {
      add(ids_.bytes_out, line.bytes, Kind::number);
    }
    add_given(ids_.referer, resolved(line.referer.text));
    add_given(ids_.user_agent, resolved(line.agent.text));
    add(ids_.action, "http_request");
    if (!line.extra.empty()) {
      extra(line.extra);
    }
  }

 private:
  std::string_view resolved(std::string_view text) {
    return escapes_ ? unescape_log(text, batch_.arena) : text;
  }
  void add(FieldId id, std::string_view text, Kind kind = Kind::text) {
    batch_.fields.push_back(
        {text.data(), static_cast<std::uint32_t>(text.size()), id, kind, false});
  }
  /// `-` is how servers write nothing.
  void add_given(FieldId id, std::string_view text) {
    if (!text.empty() && text != "-") {
      add(id, text);
    }
  }
  void vhost(std::string_view name) {
    std::size_t const colon = name.rfind(':');
    if (colon != std::string_view::npos && all_digits(name.substr(colon + 1)) &&
        (name.find(':') == colon || name[colon - 1] == ']')) {
      add(ids_.dst_port, name.substr(colon + 1), Kind::number);
      name = name.substr(0, colon);
    }
    bool const address = parse_ip(name).has_value();
    if (address && name.starts_with('[')) {
      name = name.substr(1, name.size() - 2);
    }
    add_given(address ? ids_.dst_ip : ids_.domain, name);
  }
  void request(std::string_view text) {
    Request const parsed = parse_request(text);
    if (parsed.method.empty()) {
      add_given(ids_.request, text);
      return;
    }
    add(ids_.http_method, parsed.method);
    add(ids_.url, parsed.url);
    if (!parsed.file.empty()) {
      add(ids_.file, parsed.file);
    }
    if (!parsed.protocol.empty()) {
      add(ids_.protocol, parsed.protocol);
    }
  }
  void status(std::string_view text) {
    if (text == "-") {
      add(ids_.outcome, "unknown");
      return;
    }
    add(ids_.http_status, text, Kind::number);
    add(ids_.outcome, text[0] == '0' ? "unknown" : text[0] < '4' ? "success" : "failure");
  }
  void extra(std::string_view text);

  Batch& batch_;
  Ids const& ids_;
  bool escapes_ = false;
};

/// What follows the agent has no names. Two common fields are known by their shape: addresses in
/// quotes (X-Forwarded-For) and a number with a point (seconds taken). The rest stays one text.
void FieldWriter::extra(std::string_view text) {
  while (!text.empty()) {
    bool const in_quotes = text[0] == '"';
    std::size_t const end = in_quotes ? text.find('"', 1) : text.find(' ');
    if (in_quotes && end == std::string_view::npos) {
      break;
    }
    std::string_view const word = in_quotes ? text.substr(1, end - 1) : text.substr(0, end);
    std::size_t const point = word.find('.');
    if (in_quotes && (word == "-" || parse_ip(word.substr(0, word.find(','))))) {
      add_given(ids_.x_forwarded_for, word);
    } else if (!in_quotes && point != std::string_view::npos && all_digits(word.substr(0, point)) &&
               all_digits(word.substr(point + 1))) {
      add(ids_.request_time, word, Kind::number);
    } else if (word != "-" || in_quotes) {
      break;
    }
    text.remove_prefix(std::min(end + (in_quotes ? 1 : 0), text.size()));
    if (!text.empty() && text[0] != ' ') {
      break;
    }
    text.remove_prefix(std::min<std::size_t>(1, text.size()));
  }
  add_given(ids_.extra, text);
}

class Access final : public Decoder {
 public:
  explicit Access(catalog::Catalog& catalog)
      : ids_(catalog.fields()), type_(catalog.add_type("web/access")) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    Batch& batch = context.batch;
    StampReader stamps;
    FieldWriter writer(batch, ids_);
    for (std::size_t i = 0; i < records.size(); ++i) {
      Record const& record = records[i];
      Line line;
      if (!LineParser(record.bytes).parse(stamps, line)) {
        return i;
      }
      Event event;
      event.time = line.time;
      event.arrival = record.arrival;
      event.raw = record.bytes.data();
      event.raw_size = static_cast<std::uint32_t>(record.bytes.size());
      event.first_field = static_cast<std::uint32_t>(batch.fields.size());
      event.type = type_;
      event.offset = record.offset;
      writer.write(line, find(record.bytes, '\\', 0) != std::string_view::npos);
      event.field_count = static_cast<std::uint16_t>(batch.fields.size() - event.first_field);
      batch.events.push_back(event);
    }
    return records.size();
  }

  std::string refusal(std::string_view record) const override {
    StampReader stamps;
    Line line;
    LineParser parser(record);
    return parser.parse(stamps, line) ? "" : parser.error();
  }

 private:
  Ids ids_;
  TypeId type_;
};

/// Not a syslog stamp, `Mmm ` or `2026-`.
bool looks_like(std::string_view record) {
  char const* const at = record.data();
  return at[3] != ' ' && !(at[4] == '-' && is_digit(at[0]) && is_digit(at[3]));
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Access>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "access",
          .summary = "web servers' common and combined access logs",
          .example =
              "192.0.2.7 - alice [10/Oct/2026:13:55:36 -0700] \"GET /a?b=1 HTTP/1.1\" 200 "
              "2326 \"http://example.com/\" \"Mozilla/5.0\"",
          .first_bytes = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:[_-",
          .order = 20,
          .make = &make,
          .looks_like = &looks_like};
}

}  // namespace vedette::decode::access
