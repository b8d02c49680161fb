// What both readers of OTLP logs fill, and how it becomes a record: OpenTelemetry's value wrappers
// are taken off: `{"key": "a", "value": {"intValue": "1"}}` becomes `"a":1`.
#pragma once

#include "source/http_bodies.hpp"

#include <string>
#include <string_view>

namespace vedette::source::http_otlp {

inline constexpr int kMaxDepth = 64;  // of values in values

/// Everything here is JSON already, or empty.
struct LogRecord {
  std::string time, observed, severity, severity_number, trace_id, span_id, attributes, body;
};
/// What many records share.
struct Around {
  std::string resource, scope;
};

/// Appends `"name":value` to an object in the making, unless `value` is "".
void member(std::string& out, std::string_view name, std::string_view value);
/// False: no more is taken.
bool write_record(LogRecord const& record, Around const& around, RecordSink& sink);
/// A 64-bit number is a text in proto's JSON; what is no number stays a text.
std::string number_of(std::string_view value);
/// "" for a time of 0, which is "not known".
std::string time_of(std::string_view value);

}  // namespace vedette::source::http_otlp
