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
    return decode_below_header(
        records, context, *kept, pass_header,
        [&](std::string_view) { read_header(*kept, context); },
        [&](Record const& record) { return write(record, *kept, writer); });
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "not as many columns as the header names";
  }

 private:
  static bool write(Record const& record, Kept& kept, EventWriter& writer) {
    if (!split_columns(record.bytes, kept.rule, writer.arena(), kept.parts) ||
        kept.parts.size() != kept.columns.size() || kept.columns.empty()) {
      return false;
    }
    writer.begin(record);
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
          .advance = &advance};
}

}  // namespace vedette::decode::delimited
