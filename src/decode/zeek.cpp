// Zeek's own text logs: a header says separators, the log's name (#path), names and types of its
// columns; lines follow. Several logs may lie one behind the other in a file.
//   #separator \x09
//   #path  conn
//   #fields  ts  uid  id.orig_h ...
//   #types  time  string  addr ...
#include "base/json.hpp"
#include "decode/columns.hpp"
#include "decode/header_columns.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace vedette::decode::zeek {
namespace {

/// Moves the context past one header line: a `#separator` begins a new header, of the others those
/// that matter are kept as they are, each with a line end.
bool pass_header(std::string_view line, std::string& context) {
  static constexpr std::array<std::string_view, 6> kKept{
      "#set_separator", "#empty_field", "#unset_field", "#path", "#fields", "#types"};
  if (!line.starts_with('#')) {
    return false;
  }
  if (line.starts_with("#separator")) {
    context.clear();
  } else if (std::none_of(kKept.begin(), kKept.end(),
                          [&](std::string_view name) { return line.starts_with(name); })) {
    return true;
  }
  if (context.size() + line.size() < kMaxHeader) {
    context.append(line).append(1, '\n');
  }
  return true;
}

enum class ValueKind : std::uint8_t { text, number, boolean, texts, numbers };

struct Column : NamedColumn {
  ValueKind kind = ValueKind::text;
};

struct Schema {
  char separator = '\t';
  char set_separator = ',';
  std::string empty = "(empty)";
  std::string unset = "-";
  TypeId type{};
  std::vector<Column> columns;
};

int hex_digit(char c) {
  auto const lower = static_cast<char>(c | 0x20);
  return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The byte of `\xHH` at `at`, or -1.
int escaped_byte(std::string_view text, std::size_t at) {
  if (at + 3 >= text.size() || text[at] != '\\' || text[at + 1] != 'x') {
    return -1;
  }
  int const high = hex_digit(text[at + 2]);
  int const low = hex_digit(text[at + 3]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

ValueKind kind_of(std::string_view type) {
  bool const many = type.starts_with("set[") || type.starts_with("vector[");
  if (many) {
    type = type.substr(type.find('[') + 1);
    type = type.substr(0, type.find(']'));
  }
  bool const number = type == "time" || type == "interval" || type == "double" || type == "count" ||
                      type == "int" || type == "port";
  return many             ? (number ? ValueKind::numbers : ValueKind::texts)
         : type == "bool" ? ValueKind::boolean
         : number         ? ValueKind::number
                          : ValueKind::text;
}

/// Reads what pass_header() kept.
class HeaderReader {
 public:
  HeaderReader(DecodeContext& context, TypeId other) : context_(context), other_(other) {}

  Schema read(std::string_view text) {
    Schema out;
    out.type = other_;
    while (!text.empty()) {
      std::size_t const end = std::min(text.find('\n'), text.size() - 1);
      line(text.substr(0, end), out);
      text.remove_prefix(end + 1);
    }
    return out;
  }

 private:
  void line(std::string_view line, Schema& out) {
    if (line.starts_with("#separator")) {
      std::string_view const said = line.substr(std::min<std::size_t>(11, line.size()));
      int const byte = escaped_byte(said, 0);
      out.separator = byte > 0           ? static_cast<char>(byte)
                      : said.size() == 1 ? said[0]
                                         : out.separator;
      return;
    }
    std::size_t const blank = std::min(line.find(out.separator), line.size());
    std::string_view const name = line.substr(0, blank);
    std::string_view const rest = line.substr(std::min(blank + 1, line.size()));
    if (name == "#set_separator" && rest.size() == 1) {
      out.set_separator = rest[0];
    } else if (name == "#empty_field" && !rest.empty()) {
      out.empty = rest;
    } else if (name == "#unset_field" && !rest.empty()) {
      out.unset = rest;
    } else if (name == "#path") {
      auto const* const type = context_.catalog.find_type("zeek/" + std::string(rest));
      out.type = type != nullptr ? type->id : other_;
    } else if (name == "#fields") {
      names(rest, out);
    } else if (name == "#types") {
      types(rest, out);
    }
  }

  void names(std::string_view rest, Schema& out) {
    out.columns.clear();
    Arena arena;
    std::vector<std::string_view> parts;
    split_columns(rest, {.separator = out.separator, .quotes = false}, arena, parts);
    for (std::string_view const part : parts) {
      out.columns.push_back({name_column(part, context_)});
    }
  }

  static void types(std::string_view rest, Schema& out) {
    Arena arena;
    std::vector<std::string_view> parts;
    split_columns(rest, {.separator = out.separator, .quotes = false}, arena, parts);
    for (std::size_t i = 0; i < std::min(parts.size(), out.columns.size()); ++i) {
      out.columns[i].kind = kind_of(parts[i]);
    }
  }

  DecodeContext& context_;
  TypeId other_;
};

struct Kept final : HeaderScratch {
  using HeaderScratch::HeaderScratch;
  Schema schema;
  std::string list;
};

/// Writes the columns of lines.
class LineWriter {
 public:
  LineWriter(Schema const& schema, Kept& kept, EventWriter& writer)
      : schema_(schema), kept_(kept), writer_(writer) {}

  bool write(Record const& record) {
    std::vector<std::string_view>& parts = kept_.parts;
    split_columns(record.bytes, {.separator = schema_.separator, .quotes = false}, writer_.arena(),
                  parts);
    if (parts.size() != schema_.columns.size()) {
      return false;
    }
    writer_.begin(record);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] != schema_.unset) {
        value(schema_.columns[i], parts[i]);
      }
    }
    writer_.finish(schema_.type);
    return true;
  }

 private:
  void value(Column const& column, std::string_view text) {
    switch (column.kind) {
      case ValueKind::number:
        add(column, text, Kind::number);
        break;
      case ValueKind::boolean:
        add(column,
            text == "T"   ? "true"
            : text == "F" ? "false"
                          : text,
            text == "T" || text == "F" ? Kind::boolean : Kind::text);
        break;
      case ValueKind::texts:
      case ValueKind::numbers:
        list(column, text);
        break;
      case ValueKind::text:
        if (text != schema_.empty) {
          add(column, unescaped(text), Kind::text);
        }
        break;
    }
  }

  void add(Column const& column, std::string_view text, Kind kind) {
    if (text.empty()) {
      return;
    }
    add_name(column, writer_);
    writer_.add(column.id, text, kind);
  }

  /// A JSON list, as Zeek's JSON logs have it.
  void list(Column const& column, std::string_view text) {
    std::string& out = kept_.list;
    out = "[";
    while (!text.empty() && text != schema_.empty) {
      std::size_t const end = std::min(text.find(schema_.set_separator), text.size());
      std::string_view const item = text.substr(0, end);
      out += out.size() > 1 ? "," : "";
      if (column.kind == ValueKind::numbers && EventWriter::kind_of(item) == Kind::number) {
        out += item;
      } else {
        json::append_string(out, unescaped(item));
      }
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    out += ']';
    add(column, writer_.arena().copy(out), Kind::list);
  }

  /// `\x09` and the like are bytes that the separator or the terminal could not stand.
  std::string_view unescaped(std::string_view text) {
    if (text.find("\\x") == std::string_view::npos) {
      return text;
    }
    char* const out = writer_.arena().allocate(text.size());
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      int const byte = escaped_byte(text, i);
      out[size++] = byte >= 0 ? static_cast<char>(byte) : text[i];
      i += byte >= 0 ? 3 : 0;
    }
    writer_.arena().shrink_last(text.size() - size);
    return {out, size};
  }

  Schema const& schema_;
  Kept& kept_;
  EventWriter& writer_;
};

class Zeek final : public Decoder {
 public:
  explicit Zeek(catalog::Catalog& catalog) : other_(catalog.add_type("zeek/other")) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch<Kept> const scratch(context);
    Kept& kept = *scratch;
    EventWriter writer(context, kept);
    return decode_below_header(
        records, context, kept, pass_header,
        [&](std::string_view header) { kept.schema = HeaderReader(context, other_).read(header); },
        [&](Record const& record) { return LineWriter(kept.schema, kept, writer).write(record); });
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "not as many columns as #fields names";
  }

 private:
  TypeId other_;
};

bool opens(std::string_view first_record) {
  return first_record.starts_with("#separator ") || first_record.starts_with("#fields\t");
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Zeek>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "zeek",
          .summary = "Zeek's tab-separated logs",
          .example =
              "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
              "#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tproto\ttunnel_parents\n"
              "#types\ttime\tstring\taddr\tport\tenum\tset[string]\n"
              "1774616816.123456\tCx1\t192.0.2.7\t50000\ttcp\t(empty)\n",
          .first_bytes = "",
          .order = 5,
          .make = &make,
          .opens = &opens,
          .advance = &pass_headers<&pass_header>};
}

}  // namespace vedette::decode::zeek
