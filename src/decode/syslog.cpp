// syslog lines: the header by syslog_line.hpp; the message is free text, and where it is looked up
// (templates.hpp) is told here.
#include "decode/declare_field.hpp"
#include "decode/decoder.hpp"
#include "decode/syslog_line.hpp"
#include "decode/templates.hpp"
#include "decode/text_stamp.hpp"

#include <algorithm>
#include <iterator>

namespace vedette::decode::syslog {
namespace {

/// The last program, to find it again without looking.
class Remembered {
 public:
  bool is(std::string_view text) const {
    return text.size() == size_ &&
           (size_ == 0 || tmpl::scan::head_equal(text.data(), bytes_, mask_));
  }
  /// Only short names are remembered.
  void set(std::string_view text) {
    size_ = text.size() <= sizeof bytes_ ? text.size() : kNothing;
    mask_ = size_ == kNothing ? 0 : (1U << size_) - 1;
    std::copy_n(text.begin(), size_ == kNothing ? 0 : size_, bytes_);
  }

 private:
  static constexpr std::size_t kNothing = ~std::size_t{0};
  std::size_t size_ = kNothing;
  std::uint32_t mask_ = 0;
  char bytes_[16] = {};
};

/// A worker's caches.
struct Kept final : Scratch {
  StampReader stamps;
  Remembered program;
  ProgramId program_id{};
  TypeId program_type{};
  std::size_t code_at = 0;  ///< a tag that is a message code: where in it templates begin
};

struct Names {
  FieldId host, program, pid, message, facility, severity, message_id, process_id;
};

class Syslog final : public Decoder {
 public:
  Syslog(std::shared_ptr<TemplateSet const> templates, Names const& names)
      : templates_(std::move(templates)), text_(templates_->lookup(kTextProgram)), names_(names) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    if (records.empty()) {
      return 0;
    }
    Kept own;
    if (context.scratch != nullptr && *context.scratch == nullptr) {
      *context.scratch = std::make_unique<Kept>();
    }
    Kept& kept = context.scratch != nullptr ? static_cast<Kept&>(**context.scratch) : own;
    bool const by_arrival = context.reference == 0;
    kept.stamps.begin(by_arrival ? records.front().arrival : context.reference, context.year,
                      context.year_mark, context.options.timezone, context.options.default_offset);
    std::size_t taken = 0;
    for (Record const& record : records) {
      Line line;
      line.record = &record;
      if (by_arrival) {
        kept.stamps.set_reference(record.arrival);
      }
      if (!read_line(line, kept.stamps)) {
        break;
      }
      emit(line, kept, context);
      ++taken;
    }
    if (context.year != 0) {
      context.year = kept.stamps.year();
      context.year_mark = kept.stamps.year_mark();
    }
    return taken;
  }

  std::string refusal(std::string_view record) const override {
    if (record.starts_with('<')) {
      return "no priority of 0 to 191 between < and >";
    }
    if (!record.empty() && record.front() >= '0' && record.front() <= '9') {
      return "no ISO stamp, host and program with a colon or pid";
    }
    return "no stamp as in 'Mar 27 13:06:56'";
  }

  std::string detail(Batch const& batch, Event const& event) const override {
    auto const text_of = [&](FieldId id) {
      for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
        if (field->id == id) {
          return field->view();
        }
      }
      return std::string_view();
    };
    std::string_view message = text_of(names_.message);
    if (Repeated const repeated = read_repeated(message); repeated.times != 0) {
      message = repeated.inner;
    }
    std::string_view const program = text_of(names_.program);
    Kept kept;
    find_program(program, kept);
    ProgramId const id = kept.program_id;
    if (kept.code_at != 0 && !message.empty()) {
      char const* const begin = program.data() + kept.code_at;
      message = {begin, static_cast<std::size_t>(message.data() + message.size() - begin)};
    }
    std::string by = templates_->explain(id, message);
    std::string_view const inner = text_after_header(message);
    if (by.empty() && inner.size() != message.size()) {
      by = templates_->explain(id, inner);
    }
    bool const any = id == kAnyProgram || inner.size() != message.size();
    if (by.empty() && text_ != kAnyProgram && any) {
      by = templates_->explain(text_, inner);
      by = by.empty() ? templates_->explain(text_, message) : by;
    }
    if (!by.empty()) {
      return "by the template " + by;
    }
    return id == kAnyProgram
               ? "no template: no decoder file names program '" + std::string(program) + "'"
               : "no template of '" + std::string(program) + "' takes the message";
  }

 private:
  static std::string_view coded_message(Line const& line, std::size_t code_at);
  bool match_within(ProgramId program, std::string_view message, DecodeContext& context,
                    TypeId& type) const;
  void find_program(std::string_view program, Kept& kept) const;
  void emit(Line& line, Kept& kept, DecodeContext& context) const;
  void emit_head(Line const& line, Batch& batch) const;
  void emit_syslog(Line& line, DecodeContext& context) const;

  std::shared_ptr<TemplateSet const> const templates_;
  ProgramId const text_;  ///< for messages of programs that nobody names
  Names const names_;
};

void add(Batch& batch, FieldId id, std::string_view value) {
  Field field;
  field.data = value.data();
  field.size = static_cast<std::uint32_t>(value.size());
  field.id = id;
  batch.fields.push_back(field);
}

/// Parameters of structured data as fields `sd.ID.PARAM`.
class FieldSink final : public DataSink {
 public:
  FieldSink(Batch& batch, FieldCache& names) : batch_(batch), names_(names) {}

  void param(std::string_view id, std::string_view name, std::string_view value,
             bool escaped) override {
    char full[256];  // id and name are at most 100 bytes each
    char* p = std::copy_n("sd.", 3, full);
    p = std::copy(id.begin(), id.end(), p);
    *p++ = '.';
    p = std::copy(name.begin(), name.end(), p);
    std::string_view const field_name = std::string_view(full, p);
    FieldId const field = names_.intern(field_name);
    if (field == kUnlisted) {
      add(batch_, field, batch_.arena.copy(field_name));
    }
    if (escaped) {
      char* const out = batch_.arena.allocate(value.size());
      std::size_t const size = unescape_param(value, out);
      batch_.arena.shrink_last(value.size() - size);
      value = {out, size};
    }
    add(batch_, field, value);
  }

 private:
  Batch& batch_;
  FieldCache& names_;
};

/// What only some lines have: priority, message id, structured data.
void Syslog::emit_syslog(Line& line, DecodeContext& context) const {
  Batch& batch = context.batch;
  std::size_t const data_begin = batch.fields.size();
  if (!line.data.empty()) {
    FieldSink sink(batch, context.fields);
    if (!read_structured_data(line.data, sink, line.message)) {
      batch.fields.resize(data_begin);
      line.message = trim_blanks(line.data);
    }
  }
  // The message stands before them in the list of fields, and is known only now.
  auto const at = batch.fields.begin() + static_cast<std::ptrdiff_t>(data_begin);
  Field head[5];
  std::size_t count = 0;
  auto const put = [&](FieldId id, std::string_view value) {
    if (!value.empty()) {
      head[count].data = value.data();
      head[count].size = static_cast<std::uint32_t>(value.size());
      head[count++].id = id;
    }
  };
  if (!line.data.empty()) {
    put(names_.message, line.message);
  }
  if (line.priority.size != 0) {
    put(names_.facility, facility_name(line.priority.value));
    put(names_.severity, severity_name(line.priority.value));
  }
  put(names_.message_id, line.message_id);
  put(names_.process_id, line.process_id);
  batch.fields.insert(at, head, head + count);
}

/// Host, program, pid; the message, too, when it is known already.
void Syslog::emit_head(Line const& line, Batch& batch) const {
  std::size_t const before = batch.fields.size();
  batch.fields.resize(before + 4);
  Field* at = batch.fields.data() + before;
  auto const put = [&](FieldId id, std::string_view value) {
    at->data = value.data();
    at->size = static_cast<std::uint32_t>(value.size());
    at->id = id;
    at += value.empty() ? 0 : 1;
  };
  put(names_.host, line.host);
  put(names_.program, line.program);
  if (!line.pid.empty()) {
    at->kind = line.pid.front() != '0' || line.pid.size() == 1 ? Kind::number : Kind::text;
    put(names_.pid, line.pid);
  }
  put(names_.message, line.message);
  batch.fields.resize(static_cast<std::size_t>(at - batch.fields.data()));
}

/// Tags of network devices are codes: `%ASA-6-302013`, `%SYS-5-CONFIG_I`. Templates of `%ASA` (and
/// whoever else has a decoder file) begin with the number, as the level is the administrator's
/// choice; all others' are the program `%` and begin with the facility.
void Syslog::find_program(std::string_view program, Kept& kept) const {
  kept.code_at = 0;
  if (program.starts_with('%')) {
    std::size_t const dash = program.find('-');
    ProgramId const own = templates_->lookup(program.substr(0, dash));
    bool const level = dash + 2 < program.size() && program[dash + 2] == '-';
    kept.program_id = own != kAnyProgram && level ? own : templates_->lookup("%");
    kept.code_at = own != kAnyProgram && level ? dash + 3 : 1;
  } else {
    kept.program_id = templates_->lookup(program);
  }
  kept.program_type = templates_->type(kept.program_id);
}

/// From within the tag to the end of the message.
std::string_view Syslog::coded_message(Line const& line, std::size_t code_at) {
  char const* const begin = line.program.data() + code_at;
  char const* const end = line.message.data() + line.message.size();
  return begin < end ? std::string_view(begin, end) : line.message;
}

/// A message no template of its program takes: behind a stamp or level of its own, or as the plain
/// text that it would be in a file.
bool Syslog::match_within(ProgramId program, std::string_view message, DecodeContext& context,
                          TypeId& type) const {
  std::string_view const inner = text_after_header(message);
  bool const header = inner.size() != message.size();
  auto const match = [&](ProgramId id, std::string_view text) {
    return templates_->match(id, text, context.batch, context.fields, type);
  };
  if (header && match(program, inner)) {
    return true;
  }
  if (text_ == kAnyProgram || (program != kAnyProgram && !header)) {
    return false;
  }
  return match(text_, inner) || (header && match(text_, message));
}

void Syslog::emit(Line& line, Kept& kept, DecodeContext& context) const {
  Batch& batch = context.batch;
  // Filled where it lies: copying what was just written piece by piece stalls.
  Event& event = batch.events.emplace_back();
  event.arrival = line.record->arrival;
  event.time = line.timed ? line.time : line.record->arrival;
  event.time_from_arrival = !line.timed;
  event.raw = line.record->bytes.data();
  event.raw_size = static_cast<std::uint32_t>(line.record->bytes.size());
  event.offset = line.record->offset;
  event.first_field = static_cast<std::uint32_t>(batch.fields.size());
  emit_head(line, batch);
  if (line.priority.size != 0) {
    emit_syslog(line, context);
  }
  if (!kept.program.is(line.program)) {
    kept.program.set(line.program);
    find_program(line.program, kept);
  }
  event.type = kept.program_type;
  std::string_view message = line.message;
  if (Repeated const repeated = read_repeated(message); repeated.times != 0) {
    event.repeat = repeated.times;
    message = repeated.inner;
  }
  if (kept.code_at != 0) {
    message = coded_message(line, kept.code_at);
  }
  if (!templates_->match(kept.program_id, message, batch, context.fields, event.type)) {
    match_within(kept.program_id, message, context, event.type);
  }
  event.field_count = static_cast<std::uint16_t>(batch.fields.size() - event.first_field);
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  TRY(auto templates, init.templates.get());
  FieldTable& fields = init.catalog.fields();
  Names const names{.host = declare_field(fields, "host", FieldType::word),
                    .program = declare_field(fields, "program", FieldType::text),
                    .pid = declare_field(fields, "pid", FieldType::integer),
                    .message = declare_field(fields, "message", FieldType::text),
                    .facility = declare_field(fields, "syslog.facility", FieldType::word),
                    .severity = declare_field(fields, "syslog.severity", FieldType::word),
                    .message_id = declare_field(fields, "syslog.msgid", FieldType::word),
                    .process_id = declare_field(fields, "syslog.procid", FieldType::word)};
  return std::make_unique<Syslog>(std::move(templates), names);
}

/// A priority, a month, or an ISO stamp.
bool looks_like(std::string_view record) {
  char const* const p = record.data();
  if (*p == '<') {
    return p[1] >= '0' && p[1] <= '9';
  }
  if (*p >= '0' && *p <= '9') {
    return has_iso_shape(p, p + record.size());
  }
  return p[3] == ' ' && p[1] >= 'a' && p[1] <= 'u' && p[2] >= 'b' && p[2] <= 'y';
}

}  // namespace

DecoderSpec spec() {
  return {.name = "syslog",
          .summary = "syslog lines: RFC 3164 as it is written, ISO stamps, RFC 5424",
          .example =
              "Mar 27 13:06:56 web1 sshd[1291]: Failed password for root from 192.0.2.1 port "
              "40022 ssh2",
          .first_bytes = "<12JFMASOND",
          .order = 20,
          .make = &make,
          .looks_like = &looks_like};
}

}  // namespace vedette::decode::syslog
