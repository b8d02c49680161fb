// Plain lines, JSON values, and what Splunk's HTTP Event Collector takes.
#include "source/http_bodies.hpp"

#include "base/json.hpp"
#include "source/journal.hpp"
#include "source/json_spans.hpp"

#include <algorithm>

namespace vedette::source {

bool RecordSink::add(std::string_view record) {
  std::size_t const kept = std::min(record.size(), bounds_.record);
  if (full_ || count_ >= bounds_.records || frames_.size() + kFrameHeader + kept > bounds_.bytes) {
    full_ = true;
    return false;
  }
  cut_records_ += kept < record.size() ? 1 : 0;
  cut_bytes_ += record.size() - kept;
  append_frame(frames_, arrival_, record.substr(0, kept), kept < record.size());
  ++count_;
  return true;
}

void RecordSink::clear() {
  frames_.clear();
  count_ = cut_records_ = cut_bytes_ = 0;
}

namespace {

/// Calls `take(line)` for each line that is not empty, until it says no.
template <class Take>
void for_each_text_line(std::string_view body, Take const& take) {
  while (!body.empty()) {
    std::size_t const end = std::min(body.find('\n'), body.size());
    std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (!line.empty() && !take(line)) {
      return;
    }
  }
}

}  // namespace

void read_lines(std::string_view body, RecordSink& sink) {
  for_each_text_line(body, [&](std::string_view line) { return sink.add(line); });
}

bool read_json_values(std::string_view body, RecordSink& sink) {
  JsonSpans spans(body);
  auto const take = [&] {
    auto const value = spans.value();
    return value && sink.add(*value);
  };
  while (!spans.at_end()) {
    if (!(spans.peek() == '[' ? spans.array(take) : take())) {
      return sink.full();
    }
  }
  return true;
}

namespace {

bool is_blank_text(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// One event of a HEC request, as spans of the body.
struct HecEvent {
  std::string_view time, host, source, sourcetype, index, fields, event;

  std::string_view* find(std::string_view key) {
    return key == "time"         ? &time
           : key == "host"       ? &host
           : key == "source"     ? &source
           : key == "sourcetype" ? &sourcetype
           : key == "index"      ? &index
           : key == "fields"     ? &fields
           : key == "event"      ? &event
                                 : nullptr;
  }
};

/// Writes records around events; one buffer for all events of a request.
class HecWriter {
 public:
  HecWriter(HecDefaults const& defaults, RecordSink& sink) : sink_(sink) {
    for (auto const& [name, value] :
         {std::pair("host", defaults.host), std::pair("source", defaults.source),
          std::pair("sourcetype", defaults.sourcetype), std::pair("index", defaults.index)}) {
      std::string& text = defaults_[count_++];
      if (!value.empty()) {
        json::append_string(text, value);
      }
      names_[count_ - 1] = name;
    }
  }

  bool write(HecEvent const& event) {
    out_ = '{';
    bool const enveloped = envelope(event);
    if (event.event.starts_with('{')) {
      std::string_view const members = json_members(event.event);
      out_ += enveloped && !members.empty() ? "," : "";
      out_ += members;
    } else {
      out_ += enveloped ? "," : "";
      out_ += event.event.starts_with('"') ? "\"message\":" : "\"event\":";
      out_ += event.event;
    }
    out_ += '}';
    return sink_.add(out_);
  }

  bool write_text(std::string_view line) {
    bool const enveloped = std::any_of(std::begin(defaults_), std::end(defaults_),
                                       [](auto& text) { return !text.empty(); });
    if (!enveloped) {
      return sink_.add(line);
    }
    text_.clear();
    json::append_string(text_, line);
    HecEvent event;
    event.event = text_;
    return write(event);
  }

 private:
  bool envelope(HecEvent const& event) {
    std::string_view const own[] = {event.host, event.source, event.sourcetype, event.index};
    std::size_t const begin = out_.size();
    member("time", event.time);
    for (std::size_t i = 0; i < std::size(own); ++i) {
      member(names_[i], own[i].empty() ? std::string_view(defaults_[i]) : own[i]);
    }
    member("fields", event.fields);
    if (out_.size() == begin) {
      return false;
    }
    out_[begin] = '{';  // where the first comma was
    out_.insert(begin, "\"splunk\":");
    out_ += '}';
    return true;
  }
  void member(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      out_ += ",\"";
      out_ += name;
      out_ += "\":";
      out_ += value;
    }
  }

  RecordSink& sink_;
  std::string defaults_[4];
  std::string_view names_[4];
  std::size_t count_ = 0;
  std::string out_;
  std::string text_;
};

HecCode problem_with(HecEvent const& event) {
  if (event.event.empty() || event.event == "null") {
    return HecCode::event_required;
  }
  if (event.event.starts_with('"') && is_blank_text(json_unquoted(event.event))) {
    return HecCode::event_blank;
  }
  if (!event.fields.empty() && !event.fields.starts_with('{')) {
    return HecCode::invalid_fields;
  }
  return HecCode::success;
}

}  // namespace

HecOutcome read_hec_events(std::string_view body, HecDefaults const& defaults, RecordSink& sink) {
  JsonSpans spans(body);
  HecWriter writer(defaults, sink);
  HecOutcome out;
  bool any = false;
  auto const take = [&] {
    any = true;
    HecEvent event;
    bool const whole = spans.object([&](std::string_view key) {
      auto const value = spans.value();
      std::string_view* const place = event.find(key);
      if (value && place != nullptr) {
        *place = *value;
      }
      return value.has_value();
    });
    out.code = whole ? problem_with(event) : HecCode::invalid_format;
    if (out.code != HecCode::success || !writer.write(event)) {
      return false;
    }
    ++out.event;
    return true;
  };
  while (!spans.at_end()) {
    bool const good = spans.peek() == '[' ? spans.array(take) : take();
    if (!good) {
      out.code = out.code == HecCode::success && !sink.full() ? HecCode::invalid_format : out.code;
      return out;
    }
  }
  out.code = any ? HecCode::success : HecCode::no_data;
  return out;
}

HecOutcome read_hec_raw(std::string_view body, HecDefaults const& defaults, RecordSink& sink) {
  HecWriter writer(defaults, sink);
  for_each_text_line(body, [&](std::string_view line) { return writer.write_text(line); });
  return {sink.count() == 0 && !sink.full() ? HecCode::no_data : HecCode::success, 0};
}

}  // namespace vedette::source
