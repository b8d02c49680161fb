// From the bodies of requests to records: what Splunk's HTTP Event Collector, Elasticsearch's bulk
// interface and OpenTelemetry's logs take, and plain lines. Pure functions over any bytes.
//
// A record is what the sender calls the event. An event that is an object becomes the record
// itself, with what stood around it in one member of its own before the event's members; an event
// that is a text becomes the member `message`:
//
//   {"event": {"user": "bob"}, "time": 1, "host": "web1"}
//     -> {"splunk":{"time":1,"host":"web1"},"user": "bob"}
//
// The member is `splunk` (time, host, source, sourcetype, index, fields), `otel` (time, observed,
// severity, severity_number, trace_id, span_id, scope, resource, attributes) or, for Elastic,
// `_index`, `_id` and `pipeline`. normalize/ takes the event time from `splunk.time`, `otel.time`.
#pragma once

#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vedette::source {

/// The records of one request, as frames for the journal.
class RecordSink {
 public:
  struct Bounds {
    std::size_t record = 1 << 20;   ///< longer ones are cut, and counted
    std::size_t records = 200'000;  ///< of one request
    std::size_t bytes = 128 << 20;  ///< of one request: envelopes may be written out many times
  };
  RecordSink(Nanos arrival, Bounds bounds) : arrival_(arrival), bounds_(bounds) {}

  /// False, and nothing is taken any more: the request holds more than one may.
  bool add(std::string_view record);
  bool full() const { return full_; }
  std::size_t count() const { return count_; }
  std::string& frames() { return frames_; }
  /// Takes back what was added.
  void clear();
  std::uint64_t cut_records() const { return cut_records_; }
  std::uint64_t cut_bytes() const { return cut_bytes_; }

 private:
  Nanos arrival_;
  Bounds bounds_;
  std::string frames_;
  std::size_t count_ = 0;
  std::uint64_t cut_records_ = 0;
  std::uint64_t cut_bytes_ = 0;
  bool full_ = false;
};

/// What a HEC request says of all its events, in the address of the request.
struct HecDefaults {
  std::string_view host, source, sourcetype, index;
};

/// The codes of Splunk's answers.
enum class HecCode : std::uint8_t {
  success = 0,
  no_data = 5,
  invalid_format = 6,
  busy = 9,
  channel_missing = 10,
  event_required = 12,
  event_blank = 13,
  invalid_fields = 15,
};
struct HecOutcome {
  HecCode code = HecCode::success;
  std::size_t event = 0;  ///< the number of the wrong one; those before it are taken
};
/// Objects one after the other, or an array of them.
HecOutcome read_hec_events(std::string_view body, HecDefaults const& defaults, RecordSink& sink);
/// Lines of text.
HecOutcome read_hec_raw(std::string_view body, HecDefaults const& defaults, RecordSink& sink);

struct BulkOutcome {
  std::string items;  ///< of the answer: one JSON object per action, with commas
  bool errors = false;
  std::string problem;  ///< not empty: the whole request is refused for it
};
/// Pairs of action and document, one per line each. `index`: where an action names none.
BulkOutcome read_bulk(std::string_view body, std::string_view index, RecordSink& sink);
/// One document. False: it is no JSON object.
bool read_document(std::string_view body, std::string_view index, std::string_view id,
                   RecordSink& sink);

/// OTLP logs (ExportLogsServiceRequest). False: broken; nothing of it should be kept then.
bool read_otlp_json(std::string_view body, RecordSink& sink);
bool read_otlp_protobuf(std::string_view body, RecordSink& sink);

/// One record per line; empty lines are none.
void read_lines(std::string_view body, RecordSink& sink);
/// JSON values one after the other, over lines or not; the items of an array are records of their
/// own. False: broken; what came before is in `sink`.
bool read_json_values(std::string_view body, RecordSink& sink);

}  // namespace vedette::source
