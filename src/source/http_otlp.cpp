// OTLP logs as JSON (opentelemetry/proto/collector/logs/v1, the JSON mapping).
#include "source/http_otlp.hpp"

#include "source/json_spans.hpp"

namespace vedette::source {
namespace http_otlp {
namespace {

bool is_number(std::string_view text) {
  JsonSpans spans(text);
  return (spans.peek() == '-' || (spans.peek() >= '0' && spans.peek() <= '9')) && spans.value() &&
         spans.at_end();
}

}  // namespace

void member(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    out += out.ends_with('{') ? "\"" : ",\"";
    out += name;
    out += "\":";
    out += value;
  }
}

bool write_record(LogRecord const& record, Around const& around, RecordSink& sink) {
  std::string envelope = "{";
  member(envelope, "time", record.time.empty() ? record.observed : record.time);
  member(envelope, "observed", record.observed);
  member(envelope, "severity", record.severity);
  member(envelope, "severity_number", record.severity_number);
  member(envelope, "trace_id", record.trace_id);
  member(envelope, "span_id", record.span_id);
  member(envelope, "scope", around.scope);
  member(envelope, "resource", around.resource);
  member(envelope, "attributes", record.attributes);
  envelope += '}';
  std::string out = "{\"otel\":" + envelope;
  if (record.body.starts_with('{')) {
    std::string_view const members = json_members(record.body);
    out += members.empty() ? "" : ",";
    out += members;
  } else {
    member(out, record.body.starts_with('"') ? "message" : "body", record.body);
  }
  out += '}';
  return sink.add(out);
}

std::string number_of(std::string_view value) {
  std::string_view const inside = json_unquoted(value);
  return std::string(is_number(inside) ? inside : value);
}

std::string time_of(std::string_view value) {
  std::string out = number_of(value);
  return out == "0" ? std::string() : out;
}

namespace {

class JsonReader {
 public:
  JsonReader(std::string_view body, RecordSink& sink) : spans_(body), sink_(sink) {}

  bool read() {
    return spans_.object([&](std::string_view key) {
      return key == "resourceLogs" || key == "resource_logs"
                 ? spans_.array([&] { return resource_logs(); })
                 : spans_.value().has_value();
    }) && spans_.at_end();
  }

 private:
  /// The resource may stand behind what it belongs to, so the records wait as a span.
  bool resource_logs() {
    Around around;
    std::string_view scopes;
    bool const whole = spans_.object([&](std::string_view key) {
      if (key == "resource") {
        return attributes_of(around.resource);
      }
      auto const value = spans_.value();
      if (value && (key == "scopeLogs" || key == "scope_logs")) {
        scopes = *value;
      }
      return value.has_value();
    });
    if (!whole || scopes.empty()) {
      return whole;
    }
    JsonReader inner(scopes, sink_);
    return inner.spans_.array([&] { return inner.scope_logs(around); });
  }

  bool scope_logs(Around& around) {
    std::string_view records;
    around.scope.clear();
    bool const whole = spans_.object([&](std::string_view key) {
      auto const value = spans_.value();
      if (value && key == "scope") {
        around.scope = scope(*value);
      } else if (value && (key == "logRecords" || key == "log_records")) {
        records = *value;
      }
      return value.has_value();
    });
    if (!whole || records.empty()) {
      return whole;
    }
    JsonReader inner(records, sink_);
    return inner.spans_.array([&] { return inner.log_record(around); });
  }

  static std::string scope(std::string_view text) {
    JsonSpans spans(text);
    std::string out = "{";
    bool const whole = spans.object([&](std::string_view key) {
      auto const value = spans.value();
      if (value && (key == "name" || key == "version")) {
        member(out, key, *value);
      }
      return value.has_value();
    });
    return whole && out.size() > 1 ? out + '}' : std::string();
  }

  bool log_record(Around const& around) {
    LogRecord record;
    bool const whole = spans_.object([&](std::string_view key) {
      if (key == "attributes") {
        return key_values(record.attributes, 0);
      }
      if (key == "body") {
        return any_value(record.body, 0);
      }
      auto const value = spans_.value();
      if (!value || *value == "null") {
        return value.has_value();
      }
      if (key == "timeUnixNano" || key == "time_unix_nano") {
        record.time = time_of(*value);
      } else if (key == "observedTimeUnixNano" || key == "observed_time_unix_nano") {
        record.observed = time_of(*value);
      } else if (key == "severityText" || key == "severity_text") {
        record.severity = *value;
      } else if (key == "severityNumber" || key == "severity_number") {
        record.severity_number = *value;
      } else if ((key == "traceId" || key == "trace_id") && *value != "\"\"") {
        record.trace_id = *value;
      } else if ((key == "spanId" || key == "span_id") && *value != "\"\"") {
        record.span_id = *value;
      }
      return true;
    });
    return whole && write_record(record, around, sink_);
  }

  bool attributes_of(std::string& out) {
    return spans_.object([&](std::string_view key) {
      return key == "attributes" ? key_values(out, 0) : spans_.value().has_value();
    });
  }

  /// `[{"key": "a", "value": {...}}, ...]` to an object.
  bool key_values(std::string& out, int depth) {
    out = "{";
    bool const whole = spans_.array([&] {
      std::string name = "\"\"";
      std::string value = "null";
      bool const pair = spans_.object([&](std::string_view key) {
        if (key == "value") {
          return any_value(value, depth + 1);
        }
        auto const text = spans_.value();
        if (text && key == "key" && text->starts_with('"')) {
          name = *text;
        }
        return text.has_value();
      });
      out += out.size() > 1 ? "," : "";
      out += name + ':' + (value.empty() ? "null" : value);
      return pair;
    });
    out += '}';
    return whole;
  }

  /// `{"stringValue": "x"}` to `"x"`; empty: there is no value.
  bool any_value(std::string& out, int depth) {
    if (depth > kMaxDepth) {
      return false;
    }
    if (spans_.peek() != '{') {  // null, or a sender that leaves the wrapper off
      auto const value = spans_.value();
      out = value && *value != "null" ? std::string(*value) : std::string();
      return value.has_value();
    }
    out.clear();
    bool const whole = spans_.object([&](std::string_view key) {
      if (key == "kvlistValue" || key == "arrayValue" || key == "kvlist_value" ||
          key == "array_value") {
        bool const list = key.starts_with("array");
        out = list ? "[]" : "{}";
        return spans_.object([&](std::string_view inner) {
          return inner != "values" ? spans_.value().has_value()
                 : list            ? array_values(out, depth)
                                   : key_values(out, depth);
        });
      }
      auto const value = spans_.value();
      if (value) {
        out = key == "intValue" || key == "int_value" ? number_of(*value) : std::string(*value);
      }
      return value.has_value();
    });
    if (out.empty()) {
      out = "null";
    }
    return whole;
  }

  bool array_values(std::string& out, int depth) {
    out = "[";
    bool const whole = spans_.array([&] {
      std::string item;
      bool const good = any_value(item, depth + 1);
      out += out.size() > 1 ? "," : "";
      out += item.empty() ? "null" : item;
      return good;
    });
    out += ']';
    return whole;
  }

  JsonSpans spans_;
  RecordSink& sink_;
};

}  // namespace
}  // namespace http_otlp

bool read_otlp_json(std::string_view body, RecordSink& sink) {
  return http_otlp::JsonReader(body, sink).read();
}

}  // namespace vedette::source
