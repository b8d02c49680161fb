// Columns with a header line: CSV (RFC 4180), TSV, `;` and `|`; VPC flow logs and others with
// blanks between. The first line names the columns; the same line again (files put together) is
// passed.
#include "decode/columns.hpp"
#include "decode/header_columns.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace vedette::decode::delimited {
namespace {

// Of one record whose quotes hold line ends; past it the quote is text.
constexpr std::size_t kMaxLines = 128;
constexpr std::size_t kMaxJoined = 64 << 10;
constexpr std::string_view kMark = "\xEF\xBB\xBF";

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || text.front() == ' ' || text.back() == ' ') {
    return false;
  }
  bool const letter = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z') ||
                      text[0] == '_' || text[0] == '@';
  return letter && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("_-. @()/#:").contains(c);
         });
}

/// How a header is to be read, or nothing where it is none. `sure`: the format was named, so one
/// column and any names will do.
std::optional<ColumnRule> rule_of(std::string_view header, bool sure) {
  static constexpr std::array<char, 4> kSeparators{'\t', ';', '|', ','};
  if (header.starts_with(kMark)) {
    header.remove_prefix(kMark.size());
  }
  if (header.size() > kMaxHeader) {
    return std::nullopt;
  }
  Arena arena;
  std::vector<std::string_view> names;
  ColumnRule best;
  std::size_t most = 0;
  for (char const separator : kSeparators) {
    ColumnRule const rule{.separator = separator};
    if (split_columns(header, rule, arena, names) && names.size() > most) {
      bool const fits =
          std::all_of(names.begin(), names.end(), [](auto name) { return is_name(name); });
      std::vector<std::string_view> sorted = names;
      std::sort(sorted.begin(), sorted.end());
      bool const unique = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
      // A sentence with commas is no header: blanks in names need more columns.
      std::size_t const blanks = static_cast<std::size_t>(
          std::count_if(names.begin(), names.end(), [](auto name) { return name.contains(' '); }));
      if (sure || (fits && unique && names.size() >= (blanks > 0 ? 6 : 3))) {
        best = rule;
        most = names.size();
      }
    }
  }
  // Blanks: only the flow logs of clouds.
  if (header.contains("srcaddr ") && header.contains("dstaddr ")) {
    return ColumnRule{.separator = ' ', .collapse = true};
  }
  return most > 0 ? std::optional(best) : std::nullopt;
}

/// How many of the lines are the first record; 0 when that depends on lines to come.
std::size_t lines_of(std::span<Record const> lines, ColumnRule const& rule) {
  OpenQuote quote(rule);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    bytes += lines[i].bytes.size() + 1;
    if (i == kMaxLines || (i > 0 && bytes > kMaxJoined)) {
      return 1;
    }
    if (!quote.add(lines[i].bytes)) {
      return i + 1;
    }
  }
  return 0;
}

/// The lines as one record; they lie behind each other in the block.
Record joined(std::span<Record const> lines) {
  Record out = lines.front();
  char const* const end = lines.back().bytes.data() + lines.back().bytes.size();
  out.bytes = {out.bytes.data(), static_cast<std::size_t>(end - out.bytes.data())};
  return out;
}

struct Kept final : HeaderScratch {
  using HeaderScratch::HeaderScratch;
  ColumnRule rule;
  std::vector<NamedColumn> columns;
};

void read_header(Kept& kept, DecodeContext& context) {
  kept.columns.clear();
  std::string_view header = kept.header;
  if (header.starts_with(kMark)) {
    header.remove_prefix(kMark.size());
  }
  kept.rule = rule_of(header, true).value_or(ColumnRule{});
  Arena arena;
  std::vector<std::string_view> names;
  split_columns(header, kept.rule, arena, names);
  for (std::string_view const name : names) {
    kept.columns.push_back(name_column(name, context));
  }
}

/// The first line, and the same again.
bool pass_header(std::string_view line, std::string& context) {
  if (context.empty()) {
    context = line.substr(0, kMaxHeader);
    return true;
  }
  return line == context;
}

class Delimited final : public Decoder {
 public:
  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch<Kept> const kept(context);
    EventWriter writer(context, *kept);
    bool const joins = context.opened && context.batch.block.framing == Block::Framing::lines;
    std::size_t taken = 0;
    while (taken < records.size()) {
      Record const& record = records[taken];
      std::size_t lines = 1;
      if (context.opened && pass_header(record.bytes, context.log_context)) {
        ++context.batch.joined;
      } else {
        if (kept->header != context.log_context) {
          kept->header = context.log_context;
          read_header(*kept, context);
        }
        lines = joins ? std::max<std::size_t>(lines_of(records.subspan(taken), kept->rule), 1) : 1;
        // What complete() took for one record stays one, also when its columns are not right.
        if (!write(joined(records.subspan(taken, lines)), *kept, writer, lines > 1)) {
          break;
        }
        context.batch.joined += lines - 1;
      }
      taken += lines;
    }
    return taken;
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "not as many columns as the header names";
  }

 private:
  /// `always`: an event without fields where the columns are not those of the header.
  static bool write(Record const& record, Kept& kept, EventWriter& writer, bool always) {
    bool const fits = split_columns(record.bytes, kept.rule, writer.arena(), kept.parts) &&
                      kept.parts.size() == kept.columns.size() && !kept.columns.empty();
    if (!fits && !always) {
      return false;
    }
    writer.begin(record);
    if (!fits) {
      kept.parts.clear();
    }
    for (std::size_t i = 0; i < kept.parts.size(); ++i) {
      if (!is_blank_column(kept.parts[i])) {
        add_column(kept.columns[i], kept.parts[i], writer);
      }
    }
    writer.finish(kUnknownType);
    return true;
  }
};

bool opens(std::string_view first_record) { return rule_of(first_record, false).has_value(); }

void advance(std::span<Record const> records, std::string& context) {
  if (context.empty() && !records.empty()) {
    pass_header(records.front().bytes, context);
  }
}

std::size_t complete(std::span<Record const> records, std::string_view context) {
  std::size_t at = context.empty() && !records.empty() ? 1 : 0;
  std::string_view const header = at == 1 ? records.front().bytes : context;
  ColumnRule const rule = rule_of(header.substr(0, kMaxHeader), true).value_or(ColumnRule{});
  while (at < records.size()) {
    std::size_t const lines = records[at].bytes == header ? 1 : lines_of(records.subspan(at), rule);
    if (lines == 0) {
      return at;
    }
    at += lines;
  }
  return at;
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& /*init*/) {
  return std::make_unique<Delimited>();
}

}  // namespace

DecoderSpec spec() {
  return {.name = "delimited",
          .summary = "CSV, TSV and other columns below a header line",
          .example =
              "timestamp,user,src,action,note\n"
              "2026-03-27T13:06:56Z,alice,192.0.2.7,login,\"says \"\"hello, world\"\"\"\n",
          .first_bytes = "",
          .order = 5,
          .make = &make,
          .opens = &opens,
          .advance = &advance,
          .complete = &complete};
}

}  // namespace vedette::decode::delimited
