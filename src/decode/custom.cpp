// Lines of the formats that decoders/*.yaml describe: those that ship, and the user's own.
#include "decode/custom_format.hpp"
#include "decode/event_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vedette::decode::custom {
namespace {

/// A worker's buffers.
struct Kept final : WriterScratch {
  using WriterScratch::WriterScratch;
  std::vector<std::string_view> parts;
  std::vector<std::string_view> groups;
};

bool is_absent(std::string_view value) { return value.empty() || value == "-"; }

bool fits(Capture const& capture, std::string_view value) {
  switch (capture.type) {
    case FieldType::ip:
      return parse_ip(value).has_value();
    case FieldType::integer:
      return parse_int(value).has_value();
    case FieldType::time:
      return parse_written_time(value).has_value();
    default:
      return true;
  }
}

/// Tries one line on one format after the other.
class LineReader {
 public:
  LineReader(Record const& record, Kept& kept, EventWriter& writer)
      : record_(record), kept_(kept), writer_(writer) {}

  bool read(LineFormat const& format) {
    if (!record_.bytes.starts_with(format.starts)) {
      return false;
    }
    return format.regex ? by_pattern(format) : by_columns(format);
  }

 private:
  bool by_columns(LineFormat const& format);
  bool by_pattern(LineFormat const& format);
  bool has_columns(LineFormat const& format);
  void column(Column const& column, std::string_view value);
  void add(Capture const& capture, std::string_view value);
  void finish(LineFormat const& format);

  Record const& record_;
  Kept& kept_;
  EventWriter& writer_;
  ColumnRule const* split_by_ = nullptr;
  bool split_ = false;
};

/// The columns are there and hold what they must.
bool LineReader::has_columns(LineFormat const& format) {
  bool const same = split_by_ != nullptr && split_by_->separator == format.rule.separator &&
                    split_by_->quotes == format.rule.quotes &&
                    split_by_->collapse == format.rule.collapse;
  if (!same) {
    split_by_ = &format.rule;
    split_ = split_columns(record_.bytes, format.rule, writer_.arena(), kept_.parts);
  }
  std::vector<std::string_view> const& parts = kept_.parts;
  if (!split_ || parts.size() < format.least ||
      (parts.size() > format.columns.size() && !format.more)) {
    return false;
  }
  for (Where const& condition : format.where) {
    if (condition.column >= parts.size() ||
        std::find(condition.values.begin(), condition.values.end(), parts[condition.column]) ==
            condition.values.end()) {
      return false;
    }
  }
  for (std::size_t i = 0; i < std::min(parts.size(), format.columns.size()); ++i) {
    Column const& column = format.columns[i];
    if (column.parts.size() == 1 && !is_absent(parts[i]) && !fits(column.parts[0], parts[i])) {
      return false;
    }
  }
  return true;
}

bool LineReader::by_columns(LineFormat const& format) {
  if (!has_columns(format)) {
    return false;
  }
  writer_.begin(record_);
  for (std::size_t i = 0; i < format.columns.size(); ++i) {
    column(format.columns[i], i < kept_.parts.size() ? kept_.parts[i] : std::string_view());
  }
  finish(format);
  return true;
}

void LineReader::column(Column const& column, std::string_view value) {
  for (std::size_t i = 0; i < column.parts.size(); ++i) {
    std::size_t const slash = i + 1 < column.parts.size() ? value.find('/') : value.size();
    std::size_t const end = std::min(slash, value.size());
    add(column.parts[i], value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
}

/// A piece that does not fit its field is left to `raw`.
void LineReader::add(Capture const& capture, std::string_view value) {
  if (is_absent(value)) {
    value = capture.default_value;
  }
  bool const listed =
      capture.values == nullptr ||
      std::find(capture.values->begin(), capture.values->end(), value) != capture.values->end();
  if (!value.empty() && capture.id != kUnlisted && listed && fits(capture, value)) {
    writer_.add_value(capture.id, value);
  }
}

bool LineReader::by_pattern(LineFormat const& format) {
  kept_.groups.resize(format.regex->names().size());
  if (!format.regex->match(record_.bytes, kept_.groups)) {
    return false;
  }
  writer_.begin(record_);
  for (auto const& [group, capture] : format.groups) {
    add(capture, kept_.groups[group]);
  }
  finish(format);
  return true;
}

void LineReader::finish(LineFormat const& format) {
  for (auto const* const constants : {&format.set, &format.defaults}) {
    for (auto const& [id, value] : *constants) {
      if (writer_.value_of(id).empty()) {
        writer_.add(id, value);
      }
    }
  }
  if (!format.time.empty()) {
    std::array<char, 96> text{};
    std::size_t size = 0;
    for (FieldId const id : format.time) {
      std::string_view const part = writer_.value_of(id);
      if (size + part.size() + 1 > text.size()) {
        break;
      }
      if (size > 0) {
        text[size++] = ' ';
      }
      std::copy(part.begin(), part.end(), text.data() + size);
      size += part.size();
    }
    if (auto const written = parse_written_time({text.data(), size})) {
      writer_.set_time(written->has_zone || format.utc ? written->time
                                                       : writer_.to_utc(written->time));
    }
  }
  writer_.finish(format.type);
}

class Custom final : public Decoder {
 public:
  explicit Custom(std::vector<LineFormat> formats) : formats_(std::move(formats)) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch<Kept> const kept(context);
    EventWriter writer(context, *kept);
    std::size_t taken = 0;
    for (Record const& record : records) {
      LineReader reader(record, *kept, writer);
      if (std::none_of(formats_.begin(), formats_.end(),
                       [&](LineFormat const& format) { return reader.read(format); })) {
        break;
      }
      ++taken;
    }
    return taken;
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "none of the " + std::to_string(formats_.size()) + " kinds of lines in decoders/*.yaml";
  }

  std::string detail(Batch const& /*batch*/, Event const& event) const override {
    for (LineFormat const& format : formats_) {
      if (format.type == event.type) {
        return "by the format " + format.name;
      }
    }
    return {};
  }

 private:
  std::vector<LineFormat> formats_;
};

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  TRY(std::vector<LineFormat> formats, load_formats(init.content, init.catalog));
  return std::make_unique<Custom>(std::move(formats));
}

}  // namespace

DecoderSpec spec() {
  return {.name = "custom",
          .summary = "formats described in YAML (squid, HAProxy, Palo Alto, VPC flows, your own)",
          .example =
              "2 123456789010 eni-0a1b2c3d 192.0.2.7 198.51.100.1 50000 22 6 20 4249 1774616816 "
              "1774616876 ACCEPT OK",
          .first_bytes = "",
          .order = 70,
          .make = &make};
}

}  // namespace vedette::decode::custom
