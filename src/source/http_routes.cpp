#include "source/http_routes.hpp"

#include "base/ascii.hpp"
#include "base/json.hpp"
#include "source/json_spans.hpp"

#include <algorithm>
#include <charconv>

namespace vedette::source {
namespace http_routes {
namespace {

constexpr std::string_view kCollector = "/services/collector";
constexpr std::size_t kMaxSecret = 512;

std::optional<std::string> base64(std::string_view text) {
  std::string out;
  unsigned bits = 0;
  unsigned held = 0;
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  for (char const c : text) {
    static constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::size_t const value = kLetters.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFFU;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held & 0xFFU);
    }
  }
  return out;
}

/// Whether two secrets are equal, in a time that does not depend on where they differ.
bool same_secret(std::string_view shown, std::string_view known) {
  unsigned difference = shown.size() == known.size() ? 0 : 1;
  for (std::size_t i = 0; i < kMaxSecret; ++i) {
    auto const a = static_cast<unsigned char>(i < shown.size() ? shown[i] : 0);
    auto const b = static_cast<unsigned char>(i < known.size() ? known[i] : 0);
    difference |= static_cast<unsigned>(a ^ b);
  }
  unsigned const volatile hidden = difference;  // no early end for the compiler, either
  return hidden == 0;
}

std::string_view query(HttpRequest const& request, std::string_view name) {
  auto const found = request.query.find(name);
  return found == request.query.end() ? std::string_view() : std::string_view(found->second);
}

bool is_collector(HttpRequest const& request) { return request.path.starts_with(kCollector); }
bool is_otlp(HttpRequest const& request) { return request.path == "/v1/logs"; }
bool is_protobuf(HttpRequest const& request) {
  return request.content_type.starts_with("application/x-protobuf") ||
         request.content_type.starts_with("application/protobuf");
}
bool writes(HttpRequest const& request) {
  return request.method == "POST" || request.method == "PUT";
}

HttpAnswer hec_answer(unsigned status, std::string_view text, unsigned code,
                      std::string_view more = {}) {
  HttpAnswer out;
  out.status = status;
  out.body = "{\"text\":";
  json::append_string(out.body, text);
  out.body += ",\"code\":" + std::to_string(code);
  out.body += more;
  out.body += '}';
  return out;
}

HttpAnswer hec_problem(HecOutcome const& outcome) {
  std::string const number = ",\"invalid-event-number\":" + std::to_string(outcome.event);
  switch (outcome.code) {
    case HecCode::no_data:
      return hec_answer(400, "No data", 5);
    case HecCode::event_required:
      return hec_answer(400, "Event field is required", 12, number);
    case HecCode::event_blank:
      return hec_answer(400, "Event field cannot be blank", 13, number);
    case HecCode::invalid_fields:
      return hec_answer(400, "Error in handling indexed fields", 15, number);
    default:
      return hec_answer(400, "Invalid data format", 6, number);
  }
}

HttpAnswer elastic_error(unsigned status, std::string_view type, std::string_view reason) {
  HttpAnswer out;
  out.status = status;
  std::string error = "{\"type\":";
  json::append_string(error, type);
  error += ",\"reason\":";
  json::append_string(error, reason);
  out.body = "{\"error\":{\"root_cause\":[" + error + "}]," + error.substr(1) +
             "},\"status\":" + std::to_string(status) + "}";
  return out;
}

/// What shippers look at before they send. They are told that what they would set up is there.
std::optional<HttpAnswer> elastic_setup(HttpRequest const& request) {
  std::string_view const path = request.path;
  bool const reads = request.method == "GET" || request.method == "HEAD";
  HttpAnswer out;
  if (path == "/" && reads) {
    out.body =
        R"({"name":"vedette","cluster_name":"vedette","cluster_uuid":"vedette","version":{)"
        R"("number":"8.11.0","build_flavor":"default","build_type":"deb","build_hash":"vedette",)"
        R"("build_date":"2023-11-04T10:04:57.184859352Z","build_snapshot":false,)"
        R"("lucene_version":"9.8.0","minimum_wire_compatibility_version":"7.17.0",)"
        R"("minimum_index_compatibility_version":"7.0.0"},"tagline":"You Know, for Search"})";
    return out;
  }
  if (path == "/_license" && reads) {
    out.body =
        R"({"license":{"status":"active","uid":"vedette","type":"basic","issue_date_in_millis":0,)"
        R"("max_nodes":1000,"issued_to":"vedette","issuer":"vedette","start_date_in_millis":-1}})";
    return out;
  }
  if (path.starts_with("/_xpack") && reads) {
    out.body =
        R"({"build":{"hash":"vedette","date":"2023-11-04T10:04:57.184Z"},"license":{"uid":)"
        R"("vedette","type":"basic","mode":"basic","status":"active"},"features":{"ilm":)"
        R"({"available":true,"enabled":true},"security":{"available":true,"enabled":true}}})";
    return out;
  }
  if (path.starts_with("/_cluster/health") && reads) {
    out.body = R"({"cluster_name":"vedette","status":"green","timed_out":false,)"
               R"("number_of_nodes":1,"number_of_data_nodes":1})";
    return out;
  }
  static constexpr std::string_view kSetUp[] = {"/_template",
                                                "/_index_template",
                                                "/_component_template",
                                                "/_ilm",
                                                "/_data_stream",
                                                "/_ingest",
                                                "/_alias",
                                                "/_cat",
                                                "/_nodes",
                                                "/_security",
                                                "/_cluster",
                                                "/_ml",
                                                "/_all",
                                                "/_mapping"};
  bool const named = std::any_of(std::begin(kSetUp), std::end(kSetUp),
                                 [&](std::string_view start) { return path.starts_with(start); });
  bool const index = path.size() > 1 && path[1] != '_' && path.find('/', 1) == path.npos;
  if (named || (index && (reads || request.method == "PUT"))) {
    out.body = reads ? "{}" : "{\"acknowledged\":true}";
    return out;
  }
  return std::nullopt;
}

HttpAnswer bulk(HttpRequest const& request, std::string_view index, RecordSink& sink) {
  BulkOutcome const outcome = read_bulk(request.body, index, sink);
  if (!outcome.problem.empty()) {
    sink.clear();  // the whole request is refused, as Elasticsearch does
    return elastic_error(400, "illegal_argument_exception", outcome.problem);
  }
  HttpAnswer out;
  out.body = std::string("{\"took\":1,\"errors\":") + (outcome.errors ? "true" : "false") +
             ",\"items\":[" + outcome.items + "]}";
  return out;
}

/// `/INDEX/_bulk`, `/INDEX/_doc`, `/INDEX/_doc/ID`, `/INDEX/_create/ID`.
std::optional<HttpAnswer> elastic_write(HttpRequest const& request, RecordSink& sink) {
  std::string_view path = request.path;
  if (path == "/_bulk") {
    return bulk(request, {}, sink);
  }
  std::size_t const slash = path.find('/', 1);
  if (slash == path.npos || path[1] == '_') {
    return std::nullopt;
  }
  std::string_view const index = path.substr(1, slash - 1);
  std::string_view const rest = path.substr(slash);
  if (rest.ends_with("/_bulk")) {
    return bulk(request, index, sink);
  }
  if (!rest.starts_with("/_doc") && !rest.starts_with("/_create")) {
    return std::nullopt;
  }
  std::size_t const last = rest.find('/', 1);
  std::string_view const id = last == rest.npos ? "" : rest.substr(last + 1);
  if (!read_document(request.body, index, id, sink)) {
    return elastic_error(400, "mapper_parsing_exception", "the document is no JSON object");
  }
  HttpAnswer out;
  out.status = 201;
  out.body = "{\"_index\":";
  json::append_string(out.body, index);
  out.body += ",\"_id\":";
  json::append_string(out.body, id.empty() ? "1" : id);
  out.body += R"(,"_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},)"
              R"("_seq_no":0,"_primary_term":1})";
  return out;
}

HttpAnswer otlp(HttpRequest const& request, RecordSink& sink) {
  bool const protobuf = is_protobuf(request);
  bool const whole =
      protobuf ? read_otlp_protobuf(request.body, sink) : read_otlp_json(request.body, sink);
  HttpAnswer out;
  if (!whole) {
    sink.clear();
    return HttpRoutes::failure(request, 400, "the body is no ExportLogsServiceRequest");
  }
  out.type = protobuf ? "application/x-protobuf" : "application/json";
  out.body = protobuf ? "" : "{\"partialSuccess\":{}}";
  return out;
}

HttpAnswer plain(HttpRequest const& request, RecordSink& sink) {
  if (request.content_type.starts_with("application/json")) {
    if (!read_json_values(request.body, sink)) {
      sink.clear();
      return HttpRoutes::failure(request, 400, "the body is not JSON; for lines say text/plain");
    }
  } else {
    read_lines(request.body, sink);
  }
  HttpAnswer out;
  out.body = "{\"accepted\":" + std::to_string(sink.count()) + "}";
  return out;
}

}  // namespace
}  // namespace http_routes

using namespace http_routes;

std::string secret_of(std::string_view authorization) {
  std::size_t const blank = std::min(authorization.find(' '), authorization.size());
  std::string_view const scheme = authorization.substr(0, blank);
  std::string_view rest = authorization.substr(blank);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  auto const is = [&](std::string_view name) { return ascii_equal_lower(scheme, name); };
  if (is("basic") || is("apikey")) {
    // `user:secret`; of API keys some clients send the key as it is.
    auto const decoded = base64(rest);
    std::size_t const colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon != std::string::npos) {
      return decoded->substr(colon + 1);
    }
    return is("apikey") ? std::string(rest) : std::string();
  }
  return is("bearer") || is("splunk") ? std::string(rest) : std::string();
}

HttpRoutes::HttpRoutes(std::vector<HttpToken> tokens, Nanos now)
    : tokens_(std::move(tokens)),
      next_ack_(static_cast<std::uint64_t>(std::max<Nanos>(now, 0) / kMillisecond)) {}

std::optional<std::size_t> HttpRoutes::token_of(HttpRequest const& request) const {
  if (tokens_.empty()) {
    return 0;
  }
  std::string const shown = secret_of(request.authorization);
  std::optional<std::size_t> out;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (same_secret(shown, tokens_[i].secret)) {
      out = i;
    }
  }
  return out;
}

bool HttpRoutes::is_public(HttpRequest const& request) {
  return request.method == "GET" && request.path.starts_with("/services/collector/health");
}

HttpAnswer HttpRoutes::refusal(HttpRequest const& request) {
  HttpAnswer out;
  bool const nothing = request.authorization.empty();
  if (is_collector(request)) {
    out = nothing ? hec_answer(401, "Token is required", 2) : hec_answer(403, "Invalid token", 4);
  } else {
    out = failure(request, 401, nothing ? "a token is required" : "the token is not known");
  }
  out.challenge = out.status == 401;
  return out;
}

HttpAnswer HttpRoutes::failure(HttpRequest const& request, unsigned status, std::string_view why) {
  HttpAnswer out;
  if (is_collector(request)) {
    out = status == 413 ? hec_answer(status, why, 6) : hec_answer(status, "Server is busy", 9);
  } else if (is_otlp(request) && is_protobuf(request)) {
    // google.rpc.Status: message = 2.
    std::string_view const text = why.substr(0, 100);
    out.type = "application/x-protobuf";
    out.body = std::string("\x12") + static_cast<char>(text.size()) + std::string(text);
  } else if (is_otlp(request)) {
    out.body = "{\"message\":";
    json::append_string(out.body, why);
    out.body += '}';
  } else {
    out = elastic_error(status,
                        status == 401   ? "security_exception"
                        : status == 429 ? "es_rejected_execution_exception"
                        : status == 503 ? "unavailable_exception"
                                        : "illegal_argument_exception",
                        why);
  }
  out.status = status;
  out.retry_after = status == 429 ? 1 : status == 503 ? 10 : 0;
  return out;
}

HttpAnswer HttpRoutes::answer(HttpRequest const& request, RecordSink& sink) {
  if (is_collector(request)) {
    return collector(request, std::string_view(request.path).substr(kCollector.size()), sink);
  }
  if (!writes(request)) {
    auto setup = elastic_setup(request);
    return setup ? std::move(*setup) : failure(request, 404, "there is nothing here");
  }
  if (is_otlp(request)) {
    return otlp(request, sink);
  }
  if (request.path == "/" || request.path == "/ingest") {
    return plain(request, sink);
  }
  if (auto written = elastic_write(request, sink)) {
    return std::move(*written);
  }
  auto setup = elastic_setup(request);
  return setup ? std::move(*setup) : failure(request, 404, "there is nothing here");
}

HttpAnswer HttpRoutes::collector(HttpRequest const& request, std::string_view rest,
                                 RecordSink& sink) {
  if (rest.ends_with("/1.0")) {
    rest.remove_suffix(4);
  }
  if (rest == "/health") {
    return hec_answer(200, "HEC is healthy", 17);
  }
  if (rest == "/ack") {
    return acknowledged(request);
  }
  bool const raw = rest == "/raw";
  if (!raw && !rest.empty() && rest != "/event") {
    return hec_answer(404, "The requested URL was not found on this server.", 404);
  }
  if (!writes(request)) {
    return hec_answer(405, "The requested URL takes POST", 405);
  }
  HecDefaults const defaults{query(request, "host"), query(request, "source"),
                             query(request, "sourcetype"), query(request, "index")};
  HecOutcome const outcome = raw ? read_hec_raw(request.body, defaults, sink)
                                 : read_hec_events(request.body, defaults, sink);
  if (outcome.code != HecCode::success) {
    return hec_problem(outcome);
  }
  bool const asked = !request.channel.empty() || !query(request, "channel").empty();
  return hec_answer(200, "Success", 0,
                    asked ? ",\"ackId\":" + std::to_string(next_ack_++) : std::string());
}

/// `{"acks":[1,2]}` to `{"acks":{"1":true,"2":true}}`. An id was given out when its events were
/// durable already.
HttpAnswer HttpRoutes::acknowledged(HttpRequest const& request) const {
  JsonSpans spans(request.body);
  HttpAnswer out;
  out.body = "{\"acks\":{";
  bool first = true;
  bool const whole = spans.object([&](std::string_view key) {
    if (key != "acks") {
      return spans.value().has_value();
    }
    return spans.array([&] {
      auto const value = spans.value();
      std::uint64_t id = 0;
      if (!value || std::from_chars(value->data(), value->data() + value->size(), id).ptr !=
                        value->data() + value->size()) {
        return false;
      }
      out.body +=
          (first ? "\"" : ",\"") + std::to_string(id) + (id < next_ack_ ? "\":true" : "\":false");
      first = false;
      return true;
    });
  });
  out.body += "}}";
  return whole ? out : hec_answer(400, "Invalid data format", 6);
}

}  // namespace vedette::source
