// What Elasticsearch's bulk interface takes.
#include "base/json.hpp"
#include "source/http_bodies.hpp"
#include "source/json_spans.hpp"

#include <algorithm>
#include <optional>

namespace vedette::source {
namespace http_bulk {
namespace {

struct Action {
  std::string_view kind;                 // index, create, update, delete
  std::string_view index, id, pipeline;  // as written, with quotes

  std::string_view* find(std::string_view key) {
    return key == "_index" ? &index : key == "_id" ? &id : key == "pipeline" ? &pipeline : nullptr;
  }
};

std::string_view next_line(std::string_view& body) {
  std::size_t const end = std::min(body.find('\n'), body.size());
  std::string_view line = body.substr(0, end);
  body.remove_prefix(std::min(end + 1, body.size()));
  line.remove_suffix(line.size() - (line.find_last_not_of(" \t\r") + 1));
  return line;
}

/// `{"create": {"_index": "x", "_id": "1"}}`
std::optional<Action> read_action(std::string_view line) {
  Action out;
  JsonSpans spans(line);
  bool const whole = spans.object([&](std::string_view kind) {
    bool const first = out.kind.empty();
    out.kind = kind;
    return first && spans.object([&](std::string_view key) {
      auto const value = spans.value();
      std::string_view* const place = out.find(key);
      if (value && place != nullptr && value->starts_with('"')) {
        *place = *value;
      }
      return value.has_value();
    });
  });
  bool const known =
      out.kind == "index" || out.kind == "create" || out.kind == "update" || out.kind == "delete";
  return whole && known && spans.at_end() ? std::optional(out) : std::nullopt;
}

bool is_object(std::string_view text) {
  JsonSpans spans(text);
  return spans.peek() == '{' && spans.value() && spans.at_end();
}

/// The document with what its action says before it.
bool write_document(std::string_view document, Action const& action, RecordSink& sink) {
  std::string out = "{";
  for (auto const& [name, value] : {std::pair("_index", action.index), std::pair("_id", action.id),
                                    std::pair("pipeline", action.pipeline)}) {
    if (!value.empty()) {
      out += out.size() > 1 ? ",\"" : "\"";
      out += name;
      out += "\":";
      out += value;
    }
  }
  std::string_view const members = json_members(document);
  out += out.size() > 1 && !members.empty() ? "," : "";
  out += members;
  out += '}';
  return sink.add(out);
}

/// One object of the answer's `items`.
void add_item(BulkOutcome& out, Action const& action, std::size_t number, unsigned status,
              std::string_view result) {
  out.items += out.items.empty() ? "{\"" : ",{\"";
  out.items += action.kind;
  out.items += "\":{\"_index\":";
  out.items += action.index.empty() ? "\"vedette\"" : action.index;
  out.items += ",\"_id\":";
  if (action.id.empty()) {
    json::append_string(out.items, std::to_string(number));
  } else {
    out.items += action.id;
  }
  if (status == 201) {
    out.items +=
        ",\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":1,\"successful\":1,"
        "\"failed\":0},\"_seq_no\":" +
        std::to_string(number) + ",\"_primary_term\":1";
  } else if (status == 404) {
    out.items += ",\"_version\":1,\"result\":\"not_found\"";
  } else {
    out.errors = true;
    out.items += ",\"error\":{\"type\":\"";
    out.items += status == 400 ? "mapper_parsing_exception" : "illegal_argument_exception";
    out.items += "\",\"reason\":";
    json::append_string(out.items, result);
    out.items += '}';
  }
  out.items += ",\"status\":" + std::to_string(status == 409 ? 400 : status) + "}}";
}

}  // namespace
}  // namespace http_bulk

BulkOutcome read_bulk(std::string_view body, std::string_view index, RecordSink& sink) {
  using namespace http_bulk;
  BulkOutcome out;
  std::string default_index;
  if (!index.empty()) {
    json::append_string(default_index, index);
  }
  std::size_t number = 0;
  while (!body.empty()) {
    std::string_view const line = next_line(body);
    if (line.empty()) {
      continue;
    }
    ++number;
    auto action = read_action(line);
    if (!action) {
      out.problem = "Malformed action/metadata line [" + std::to_string(number) + "]";
      return out;
    }
    if (action->index.empty()) {
      action->index = default_index;
    }
    if (action->kind == "delete") {
      add_item(out, *action, number, 404, {});
      continue;
    }
    std::string_view const document = next_line(body);
    if (action->kind == "update") {
      add_item(out, *action, number, 409, "logs are appended to, not updated: use create");
    } else if (!is_object(document)) {
      add_item(out, *action, number, 400, "failed to parse: the document is no JSON object");
    } else if (!write_document(document, *action, sink)) {
      return out;
    } else {
      add_item(out, *action, number, 201, {});
    }
  }
  if (number == 0) {
    out.problem = "request body is required";
  }
  return out;
}

bool read_document(std::string_view body, std::string_view index, std::string_view id,
                   RecordSink& sink) {
  using namespace http_bulk;
  if (!is_object(body)) {
    return false;
  }
  Action action;
  std::string texts[2];
  if (!index.empty()) {
    json::append_string(texts[0], index);
    action.index = texts[0];
  }
  if (!id.empty()) {
    json::append_string(texts[1], id);
    action.id = texts[1];
  }
  write_document(body, action, sink);
  return true;
}

}  // namespace vedette::source
