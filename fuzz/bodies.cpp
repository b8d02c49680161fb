// Any bytes as the body of a request to the HTTP source, and as a NetFlow datagram's templates. The
// last byte chooses the interface. Held: what is kept are whole frames within the bounds; answers
// of JSON interfaces are JSON; a record that was put around JSON is JSON; templates that are saved
// and loaded are the same.
#include "base/json.hpp"
#include "decode/netflow_packet.hpp"
#include "hold.hpp"
#include "source/http_inflate.hpp"
#include "source/http_routes.hpp"
#include "source/journal.hpp"
#include "source/json_spans.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace vedette;
using namespace vedette::source;

/// What is put around a value nests it deeper than the reader lets a body be.
bool is_json(std::string_view text) {
  JsonSpans spans(text, JsonSpans::kMaxDepth + 4);
  return spans.value() && spans.at_end();
}

struct Interface {
  char const* path;
  char const* type;
  bool wraps;  // records are JSON whatever the body is
};
constexpr Interface kInterfaces[] = {
    {"/services/collector", "", true},
    {"/services/collector/raw", "", true},
    {"/services/collector/ack", "", true},
    {"/_bulk", "", true},
    {"/logs/_doc/1", "", true},
    {"/v1/logs", "application/json", true},
    {"/v1/logs", "application/x-protobuf", true},
    {"/ingest", "application/json", true},
    {"/ingest", "text/plain", false},
};

void ask(Interface const& what, std::string_view body) {
  static HttpRoutes routes({}, 1);
  HttpRequest request;
  request.method = "POST";
  request.path = what.path;
  request.content_type = what.type;
  request.body = body;
  request.query = {{"host", std::string(body.substr(0, 5))}, {"channel", "x"}};
  constexpr std::size_t kMost = 100'000;
  RecordSink sink(1, {.record = kMost, .records = 1000, .bytes = kMost});
  HttpAnswer const answer = routes.answer(request, sink);
  hold(answer.status >= 200 && answer.status < 500, "a body is never the server's fault");
  hold(answer.type != "application/json" || is_json(answer.body), "answers are JSON");
  std::string_view const frames = sink.frames();
  hold(frames.size() <= kMost, "no more is kept than the bound");
  std::size_t count = 0;
  for (std::size_t at = 0; at < frames.size(); ++count) {
    FrameRun const one = whole_frames(frames.substr(at), 1);
    hold(one.size > 0, "frames are whole");
    std::string_view const record = frames.substr(at + kFrameHeader, one.size - kFrameHeader);
    hold(one.cut || !what.wraps || is_json(record), "records of JSON are JSON");
    at += one.size;
  }
  hold(count == sink.count(), "all are counted");
}

void inflate(std::string_view body) {
  for (char const* encoding : {"gzip", "deflate", "zstd", ""}) {
    auto const out = inflate_body(std::string(body), encoding, 1 << 20);
    hold(!out || out->size() <= 1 << 20, "a bomb is not unpacked");
  }
}

void netflow(std::string_view bytes) {
  decode::NetflowTemplates templates;
  templates.load(bytes);
  std::string kept;
  auto const record = decode::read_netflow_record(bytes, kept);
  auto const header = record ? decode::read_netflow_header(record->datagram) : std::nullopt;
  if (header && header->version != 5) {
    std::string_view body = header->body;
    for (decode::NetflowSet set; decode::next_netflow_set(body, set);) {
      if (decode::is_template_set(*header, set.id)) {
        templates.read_set(record->exporter, *header, set);
      }
    }
  }
  std::string const saved = templates.save();
  decode::NetflowTemplates again;
  again.load(saved);
  hold(again.save() == saved, "templates go through a checkpoint");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  std::string_view const text(reinterpret_cast<char const*>(data), size - 1);
  std::size_t const which = data[size - 1] % (std::size(kInterfaces) + 2);
  if (which < std::size(kInterfaces)) {
    ask(kInterfaces[which], text);
  } else if (which == std::size(kInterfaces)) {
    inflate(text);
  } else {
    netflow(text);
  }
  return 0;
}
