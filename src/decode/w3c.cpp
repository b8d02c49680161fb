// W3C extended log files: `#Fields:` says what the columns are; it may come again with others.
// Blank separated (IIS, proxies, the Windows firewall), tab separated (CloudFront) or with commas
// (Exchange).
//   #Software: Microsoft Internet Information Services 10.0
//   #Fields: date time s-ip cs-method cs-uri-stem ...
#include "decode/columns.hpp"
#include "decode/header_columns.hpp"

#include <algorithm>
#include <array>

namespace vedette::decode::w3c {
namespace {

bool matters(std::string_view line) {
  return line.starts_with("#Software:") || line.starts_with("#Fields:") ||
         line.starts_with("#Date:") || line.starts_with("#Time Format:");
}

/// The context is the last line of each kind, in the order they came, each with a line end.
bool pass_header(std::string_view line, std::string& context) {
  if (!line.starts_with('#')) {
    return false;
  }
  if (!matters(line) || line.size() > kMaxHeader / 4) {
    return true;
  }
  std::string_view const kind = line.substr(0, line.find(':') + 1);
  for (std::size_t at = 0; at < context.size();) {
    std::size_t const end = context.find('\n', at) + 1;
    if (std::string_view(context).substr(at).starts_with(kind)) {
      context.erase(at, end - at);
      break;
    }
    at = end;
  }
  context.append(line).append(1, '\n');
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

struct Schema {
  ColumnRule rule;
  std::vector<NamedColumn> columns;
  std::string day;  ///< of `#Date:`, for logs without a date column
  std::size_t date = kNone, time = kNone, stamp = kNone;  // columns
  std::size_t agent = kNone, referer = kNone, cookie = kNone, status = kNone;
  std::size_t uri = kNone, scheme = kNone, host = kNone, port = kNone, stem = kNone, query = kNone;
  bool local = false;  ///< stamps are local time
  bool plus = false;   ///< `+` stands for a blank in what clients send
  TypeId type{};
  static constexpr std::size_t kNone = ~std::size_t{0};
};

struct Kept final : HeaderScratch {
  using HeaderScratch::HeaderScratch;
  Schema schema;
};

struct Types {
  TypeId iis, proxy, firewall, cloudfront, exchange;
};

class HeaderReader {
 public:
  HeaderReader(DecodeContext& context, Types const& types) : context_(context), types_(types) {}

  Schema read(std::string_view text) {
    Schema out;
    while (!text.empty()) {
      std::size_t const end = std::min(text.find('\n'), text.size() - 1);
      line(text.substr(0, end), out);
      text.remove_prefix(end + 1);
    }
    return out;
  }

 private:
  void line(std::string_view line, Schema& out) {
    std::string_view const said = trimmed(line.substr(line.find(':') + 1));
    if (line.starts_with("#Software:")) {
      out.plus = said.starts_with("Microsoft Internet Information");
    } else if (line.starts_with("#Date:")) {
      out.day = said.substr(0, 10);
    } else if (line.starts_with("#Time Format:")) {
      out.local = said == "Local";
    } else {
      fields(said, out);
    }
  }

  void fields(std::string_view said, Schema& out) {
    out.columns.clear();
    Schema const fresh;
    out.date = out.time = out.stamp = out.agent = out.referer = out.cookie = fresh.date;
    out.status = out.uri = out.scheme = out.host = out.port = out.stem = out.query = fresh.date;
    out.rule = said.contains(',')    ? ColumnRule{.separator = ','}
               : said.contains('\t') ? ColumnRule{.separator = '\t'}
                                     : ColumnRule{.separator = ' '};
    Arena arena;
    std::vector<std::string_view> names;
    split_columns(said, {.separator = out.rule.separator, .quotes = false, .collapse = true}, arena,
                  names);
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::string_view const name = trimmed(names[i]);
      *place_of(name, out) = i;
      out.columns.push_back(name_column(name, context_));
    }
    out.type = type_of(names);
  }

  /// Where the place of a column is noted that the decoder itself needs.
  std::size_t* place_of(std::string_view name, Schema& out) {
    struct Named {
      std::string_view name;
      std::size_t Schema::* place;
    };
    static constexpr std::array<Named, 17> kNamed{{{"date", &Schema::date},
                                                   {"time", &Schema::time},
                                                   {"date-time", &Schema::stamp},
                                                   {"cs(User-Agent)", &Schema::agent},
                                                   {"cs(Referer)", &Schema::referer},
                                                   {"cs(Cookie)", &Schema::cookie},
                                                   {"sc-status", &Schema::status},
                                                   {"cs-uri", &Schema::uri},
                                                   {"c-uri", &Schema::uri},
                                                   {"cs-uri-scheme", &Schema::scheme},
                                                   {"cs-protocol", &Schema::scheme},
                                                   {"cs-host", &Schema::host},
                                                   {"x-host-header", &Schema::host},
                                                   {"cs-uri-port", &Schema::port},
                                                   {"cs-uri-stem", &Schema::stem},
                                                   {"cs-uri-path", &Schema::stem},
                                                   {"cs-uri-query", &Schema::query}}};
    for (Named const& one : kNamed) {
      if (one.name == name) {
        return &(out.*one.place);
      }
    }
    return &unused_;
  }

  /// The products that write this form, by columns that only they have.
  TypeId type_of(std::vector<std::string_view> const& names) const {
    auto const has = [&](std::string_view name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (has("src-ip") && has("dst-ip") && has("action")) {
      return types_.firewall;
    }
    if (has("x-edge-location")) {
      return types_.cloudfront;
    }
    if (has("sc-filter-result") || has("s-action") || has("cs-uri-path") || has("r-ip") ||
        has("cs-uri-scheme")) {
      return types_.proxy;
    }
    if (has("cs-uri-stem") || has("cs-method") || has("sc-status")) {
      return types_.iis;
    }
    return has("date-time") ? types_.exchange : kUnknownType;
  }

  DecodeContext& context_;
  Types const& types_;
  std::size_t unused_ = 0;
};

class W3c final : public Decoder {
 public:
  explicit W3c(catalog::Catalog& catalog)
      : types_{.iis = catalog.add_type("web/iis"),
               .proxy = catalog.add_type("proxy/w3c"),
               .firewall = catalog.add_type("windows/firewall-log"),
               .cloudfront = catalog.add_type("aws/cloudfront"),
               .exchange = catalog.add_type("microsoft/exchange-log")},
        user_agent_(catalog.fields().intern("user_agent")),
        url_(catalog.fields().intern("url")),
        outcome_(catalog.fields().intern("outcome")),
        referer_(catalog.fields().intern("cs-referer")),
        cookie_(catalog.fields().intern("cs-cookie")) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch<Kept> const kept(context);
    EventWriter writer(context, *kept);
    return decode_below_header(
        records, context, *kept, pass_header,
        [&](std::string_view header) { kept->schema = HeaderReader(context, types_).read(header); },
        [&](Record const& record) { return write(record, *kept, writer); });
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "not as many columns as #Fields names";
  }

 private:
  bool write(Record const& record, Kept& kept, EventWriter& writer) const {
    Schema const& schema = kept.schema;
    ColumnRule rule = schema.rule;
    // CloudFront names its fields with blanks between and writes tabs.
    if (rule.separator == ' ' && record.bytes.contains('\t')) {
      rule.separator = '\t';
    }
    if (!split_columns(record.bytes, rule, writer.arena(), kept.parts)) {
      return false;
    }
    if (kept.parts.size() == schema.columns.size() + 1 && kept.parts.back().empty()) {
      kept.parts.pop_back();  // a blank at the end of the line
    }
    if (kept.parts.size() != schema.columns.size() || schema.columns.empty()) {
      return false;
    }
    writer.begin(record);
    for (std::size_t i = 0; i < kept.parts.size(); ++i) {
      std::string_view const value = kept.parts[i];
      if (is_blank_column(value)) {
        continue;
      }
      add_column(schema.columns[i], value, writer);
      if (i == schema.agent) {
        writer.add(user_agent_, schema.plus ? blanks_for_plus(value, writer.arena()) : value);
      }
    }
    time_of(kept, writer);
    if (is_http(schema.type)) {
      http(kept, writer);
    }
    writer.finish(schema.type);
    return true;
  }

  bool is_http(TypeId type) const {
    return type == types_.iis || type == types_.proxy || type == types_.cloudfront;
  }

  /// What several columns say together, and names that rules use for `cs(...)`.
  void http(Kept const& kept, EventWriter& writer) const {
    Schema const& schema = kept.schema;
    auto const text = [&](std::size_t column) {
      return column == Schema::kNone || kept.parts[column] == "-" ? std::string_view()
                                                                  : kept.parts[column];
    };
    if (auto const status = text(schema.status); status.size() == 3) {
      writer.add(outcome_, status[0] == '0' ? "unknown" : status[0] < '4' ? "success" : "failure");
    }
    if (auto const referer = text(schema.referer); !referer.empty()) {
      writer.add(referer_, referer);
    }
    if (auto const cookie = text(schema.cookie); !cookie.empty()) {
      writer.add(cookie_, cookie);
    }
    if (text(schema.uri).empty() && !text(schema.stem).empty()) {
      url(schema, text, writer);
    }
  }

  /// A server knows path and query, a proxy whom it asked, too.
  template <class Text>
  void url(Schema const& schema, Text const& text, EventWriter& writer) const {
    std::string_view const query = text(schema.query);
    bool const whole = schema.type == types_.proxy && !text(schema.host).empty();
    std::string_view const scheme = !whole                        ? ""
                                    : text(schema.scheme).empty() ? "http"
                                                                  : text(schema.scheme);
    std::string_view const port = whole ? text(schema.port) : "";
    bool const usual =
        port.empty() || (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
    std::array<std::string_view, 8> const parts{scheme,
                                                whole ? "://" : "",
                                                whole ? text(schema.host) : "",
                                                usual ? "" : ":",
                                                usual ? "" : port,
                                                text(schema.stem),
                                                query.empty() || query.starts_with('?') ? "" : "?",
                                                query};
    std::size_t size = 0;
    for (std::string_view const part : parts) {
      size += part.size();
    }
    char* const out = writer.arena().allocate(size);
    char* at = out;
    for (std::string_view const part : parts) {
      at = std::copy(part.begin(), part.end(), at);
    }
    writer.add(url_, {out, size});
  }

  /// IIS may not write blanks.
  static std::string_view blanks_for_plus(std::string_view text, Arena& arena) {
    if (!text.contains('+')) {
      return text;
    }
    char* const out = arena.allocate(text.size());
    std::replace_copy(text.begin(), text.end(), out, '+', ' ');
    return {out, text.size()};
  }

  static void time_of(Kept const& kept, EventWriter& writer) {
    Schema const& schema = kept.schema;
    if (schema.stamp != Schema::kNone) {
      writer.use_time(kept.parts[schema.stamp]);
      return;
    }
    if (schema.time == Schema::kNone) {
      return;
    }
    std::string_view const day =
        schema.date != Schema::kNone ? kept.parts[schema.date] : std::string_view(schema.day);
    std::string_view const clock = kept.parts[schema.time];
    if (day.size() != 10 || clock.size() < 8 || clock.size() > 18) {
      return;
    }
    std::array<char, 32> text{};
    char* at = std::copy(day.begin(), day.end(), text.data());
    *at++ = 'T';
    at = std::copy(clock.begin(), clock.end(), at);
    // The form is UTC by its definition; the Windows firewall says when it is not.
    if (auto const time =
            parse_iso_time({text.data(), static_cast<std::size_t>(at - text.data())})) {
      writer.set_time(schema.local ? writer.to_utc(*time) : *time);
    }
  }

  Types types_;
  FieldId user_agent_, url_, outcome_, referer_, cookie_;
};

bool opens(std::string_view first_record) {
  if (first_record.starts_with("\xEF\xBB\xBF")) {
    first_record.remove_prefix(3);
  }
  return first_record.starts_with("#Software:") || first_record.starts_with("#Version:") ||
         first_record.starts_with("#Fields:");
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<W3c>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "w3c",
          .summary = "W3C extended logs (IIS, proxies, Windows firewall, CloudFront, Exchange)",
          .example =
              "#Software: Microsoft Internet Information Services 10.0\n"
              "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) "
              "sc-status\n"
              "2026-03-27 13:06:56 192.0.2.1 GET /a.aspx x=1 198.51.100.7 Mozilla/5.0+(X11) 200\n",
          .first_bytes = "",
          .order = 5,
          .make = &make,
          .opens = &opens,
          .advance = &pass_headers<&pass_header>};
}

}  // namespace vedette::decode::w3c
