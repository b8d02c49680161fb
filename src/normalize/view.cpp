// A view is a tree of values by dotted path: constants, fields by name, what words say, and the
// rest. The first kind whose action or log type fits, and which has what it needs, decides.
#include "normalize/view.hpp"

#include "base/json.hpp"
#include "base/yaml.hpp"
#include "catalog/content_yaml.hpp"
#include "normalize/print.hpp"
#include "normalize/view_tree.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace vedette::normalize {
namespace view {

/// A path and the JSON that stands there; `$token` for what every event says of itself.
using Constants = std::vector<std::pair<std::string, std::string>>;

struct Place {
  std::string path;
  bool base = false;  ///< only the last part of a file's path
};

struct Words {
  FieldId field{};
  std::unordered_map<std::string, Constants> words;
};

struct Kind {
  Constants set;
  std::unordered_map<std::string, Constants> actions;
  std::vector<std::string> types;  ///< beginnings of names of log types
  std::unordered_map<FieldId, std::vector<Place>> fields;
  std::vector<Words> words;
  std::vector<std::vector<std::string>> need;
};

namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 19 && (text == "0" || text[0] != '0') &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string json_of(yaml::Node const& node) {
  std::string out;
  if (node.is_list()) {
    for (yaml::Node const& item : node.items) {
      out += out.empty() ? "[" : ",";
      out += json_of(item);
    }
    return out + "]";
  }
  if (node.scalar.starts_with('$') || (is_number(node.scalar) && !node.quoted)) {
    return node.scalar;
  }
  json::append_string(out, node.scalar);
  return out;
}

Result<Constants> constants_of(yaml::Node const& map, std::string const& file) {
  if (!map.is_map()) {
    return fail_at(file, map.line, "a map of names to values is expected here");
  }
  Constants out;
  for (auto const& [path, value] : map.fields) {
    out.emplace_back(path, json_of(value));
  }
  return out;
}

std::vector<std::string> texts_of(yaml::Node const& node) {
  std::vector<std::string> out;
  if (node.is_scalar()) {
    out.push_back(node.scalar);
  }
  for (yaml::Node const& item : node.items) {
    out.push_back(item.scalar);
  }
  return out;
}

/// The JSON of a value where the schema wants a plain one; "" = it has no such form.
std::string plain_json(Field const& field, FieldType type, bool lists) {
  std::string out;
  if (field.kind == vedette::Kind::null || field.kind == vedette::Kind::record) {
    return out;
  }
  if (field.kind != vedette::Kind::list) {
    append_value(out, field, type);
    bool const text = out.starts_with('"');
    if (type == FieldType::integer) {
      return text ? std::string() : out;
    }
    return text ? out : '"' + out + '"';
  }
  append_value(out, field, type);
  if (!out.starts_with("[\"") || out.contains('{')) {
    return {};
  }
  if (lists) {
    return out;
  }
  std::size_t end = 2;
  while (out[end] != '"') {
    end += out[end] == '\\' ? 2 : 1;
  }
  return out.substr(1, end);
}

/// The last part of a file's path, as JSON text.
std::string base_of(std::string const& json) {
  std::size_t const cut = json.find_last_of("/\\", json.size() - 2);
  return cut == std::string::npos || cut + 2 >= json.size() ? json : '"' + json.substr(cut + 1);
}

}  // namespace
}  // namespace view

struct View::Impl {
  catalog::Catalog const* catalog = nullptr;
  std::string name, rest;
  view::Constants always;
  std::unordered_map<FieldId, std::vector<view::Place>> fields;
  std::vector<view::Words> words;
  std::vector<view::Kind> kinds;
  FieldId action{};
  bool lists = false;  // several values are a list

  Status read(yaml::Node const& root, std::string const& file);
  Result<view::Kind> read_kind(yaml::Node const& node, std::string const& file);
  Status read_fields(yaml::Node const& node, std::string const& file,
                     std::unordered_map<FieldId, std::vector<view::Place>>& out) const;
  Status read_words(yaml::Node const& node, std::string const& file,
                    std::vector<view::Words>& out) const;

  struct Subject {
    Batch const& batch;
    Event const& event;
    std::string_view log_name;
  };
  std::string value_of(std::string const& token, Subject const& subject) const;
  void put(view::Constants const& constants, Subject const& subject, view::Tree& tree) const;
  void say(std::vector<view::Words> const& all, Subject const& subject, view::Tree& tree) const;
  bool build(view::Kind const& kind, view::Constants const& said, Subject const& subject,
             view::Tree& tree) const;
  struct Left {
    Field const* field = nullptr;
    FieldType type{};
  };
  void add_rest(std::string& into, std::string_view name, std::vector<Left> const& values) const;
  bool place(view::Kind const& kind, Field const& field, FieldType type, view::Tree& tree) const;
  void finish(view::Tree& tree, std::string rest_json) const;
};

View::View() : impl_(std::make_unique<Impl>()) {}
View::~View() = default;

Status View::Impl::read_fields(yaml::Node const& node, std::string const& file,
                               std::unordered_map<FieldId, std::vector<view::Place>>& out) const {
  if (!node.is_map()) {
    return fail_at(file, node.line, "a map of names to names of the schema is expected here");
  }
  for (auto const& [from, value] : node.fields) {
    std::vector<view::Place>& places = out[catalog->fields().intern(from)];
    for (std::string const& text : view::texts_of(value)) {
      std::size_t const bar = text.find('|');
      if (bar != std::string::npos && text.substr(bar) != "|base") {
        return fail_at(file, value.line, "'" + text + "': only |base is known");
      }
      places.push_back({text.substr(0, bar), bar != std::string::npos});
    }
  }
  return {};
}

Status View::Impl::read_words(yaml::Node const& node, std::string const& file,
                              std::vector<view::Words>& out) const {
  for (auto const& [from, said] : node.fields) {
    view::Words entry{.field = catalog->fields().intern(from), .words = {}};
    for (auto const& [word, set] : said.fields) {
      TRY(entry.words[word], view::constants_of(set, file));
    }
    out.push_back(std::move(entry));
  }
  return {};
}

Result<view::Kind> View::Impl::read_kind(yaml::Node const& node, std::string const& file) {
  TRY(yaml::expect_keys(node, {"title", "actions", "types", "set", "fields", "words", "need"},
                        file));
  view::Kind kind;
  if (yaml::Node const* const set = node.find("set")) {
    TRY(kind.set, view::constants_of(*set, file));
  }
  if (yaml::Node const* const actions = node.find("actions")) {
    for (std::string const& word : view::texts_of(*actions)) {
      kind.actions[word] = {};
    }
    for (auto const& [word, set] : actions->fields) {
      TRY(kind.actions[word], view::constants_of(set, file));
    }
  }
  if (yaml::Node const* const types = node.find("types")) {
    kind.types = view::texts_of(*types);
  }
  if (yaml::Node const* const fields_node = node.find("fields")) {
    TRY(read_fields(*fields_node, file, kind.fields));
  }
  if (yaml::Node const* const words_node = node.find("words")) {
    TRY(read_words(*words_node, file, kind.words));
  }
  if (yaml::Node const* const need = node.find("need")) {
    for (yaml::Node const& one : need->items) {
      kind.need.push_back(view::texts_of(one));
    }
  }
  return kind;
}

Status View::Impl::read(yaml::Node const& root, std::string const& file) {
  TRY(yaml::expect_keys(root, {"view", "rest", "always", "fields", "words", "kinds"}, file));
  if (yaml::Node const* const node = root.find("rest")) {
    rest = node->scalar;
  }
  if (yaml::Node const* const node = root.find("always")) {
    TRY(always, view::constants_of(*node, file));
  }
  if (yaml::Node const* const node = root.find("fields")) {
    TRY(read_fields(*node, file, fields));
  }
  if (yaml::Node const* const node = root.find("words")) {
    TRY(read_words(*node, file, words));
  }
  if (yaml::Node const* const node = root.find("kinds")) {
    for (yaml::Node const& item : node->items) {
      TRY(kinds.emplace_back(), read_kind(item, file));
    }
  }
  lists = name == "ecs";
  return {};
}

Result<std::unique_ptr<View>> View::load(std::string_view name,
                                         std::vector<catalog::ContentFile> const& files,
                                         catalog::Catalog const& catalog) {
  for (catalog::ContentFile const& file : files) {
    TRY(yaml::Node const root, catalog::parse_yaml(file.text, file.path));
    yaml::Node const* const view = root.find("view");
    if (view == nullptr || view->scalar != name) {
      continue;
    }
    std::unique_ptr<View> out(new View);
    out->impl_->catalog = &catalog;
    out->impl_->name = name;
    out->impl_->action = catalog.fields().intern("action");
    TRY(out->impl_->read(root, file.path));
    return out;
  }
  return fail("there is no view '" + std::string(name) + "'", "views are ecs and ocsf");
}

std::string View::Impl::value_of(std::string const& token, Subject const& subject) const {
  std::string const& type = catalog->type(subject.event.type).name;
  std::string out;
  if (token == "$milliseconds") {
    return std::to_string(subject.event.time / kMillisecond);
  }
  if (token == "$time" || token == "$arrival") {
    out += '"';
    append_time(out, token == "$time" ? subject.event.time : subject.event.arrival);
    return out + '"';
  }
  std::string text;
  if (token == "$id") {
    text = event_id(subject.log_name, subject.batch.block.generation, subject.event.offset,
                    subject.event.part);
  } else if (token == "$raw") {
    text = subject.event.raw_view();
  } else if (token == "$type") {
    text = type;
  } else if (token == "$title") {
    text = catalog->type(subject.event.type).title;
  } else if (token == "$product") {
    text = type.substr(0, type.find('/'));
  } else if (token == "$dataset") {
    text = type;
    std::replace(text.begin(), text.end(), '/', '.');
  }
  json::append_string(out, text);
  return out;
}

void View::Impl::put(view::Constants const& constants, Subject const& subject,
                     view::Tree& tree) const {
  for (auto const& [path, value] : constants) {
    tree.set(path, value.starts_with('$') ? value_of(value, subject) : value);
  }
}

void View::Impl::say(std::vector<view::Words> const& all, Subject const& subject,
                     view::Tree& tree) const {
  for (view::Words const& words_of : all) {
    for (Field const* field = subject.batch.begin(subject.event);
         field != subject.batch.end(subject.event); ++field) {
      if (field->id != words_of.field) {
        continue;
      }
      if (auto const said = words_of.words.find(std::string(field->view()));
          said != words_of.words.end()) {
        put(said->second, subject, tree);
      }
      break;
    }
  }
}

void View::Impl::add_rest(std::string& into, std::string_view field_name,
                          std::vector<Left> const& values) const {
  std::string key(field_name);
  if (lists) {  // labels: plain names, texts
    std::replace(key.begin(), key.end(), '.', '_');
  }
  into += into.empty() ? "" : ",";
  json::append_string(into, key);
  into += values.size() > 1 ? ":[" : ":";
  for (std::size_t i = 0; i < values.size(); ++i) {
    into += i == 0 ? "" : ",";
    std::string value;
    append_value(value, *values[i].field, values[i].type);
    if (lists && !value.starts_with('"')) {
      json::append_string(into, value);
    } else {
      into += value;
    }
  }
  into += values.size() > 1 ? "]" : "";
}

/// Puts a field where the schema has it. False: its value does not stand there.
bool View::Impl::place(view::Kind const& kind, Field const& field, FieldType type,
                       view::Tree& tree) const {
  auto found = kind.fields.find(field.id);
  if (found == kind.fields.end()) {
    found = fields.find(field.id);
    if (found == fields.end()) {
      return false;
    }
  }
  std::string const value = view::plain_json(field, type, lists);
  if (value.empty()) {
    return false;
  }
  bool placed = true;
  for (view::Place const& to : found->second) {
    std::string const own = to.base ? view::base_of(value) : value;
    if (!tree.has(to.path)) {
      tree.add(to.path, own);
    } else if (lists && !own.starts_with('[') && !tree.find(to.path)->contains(own)) {
      tree.add(to.path, own);
    } else {
      placed = placed && *tree.find(to.path) == own;
    }
  }
  return placed;
}

/// False: something that the kind needs is not there.
bool View::Impl::build(view::Kind const& kind, view::Constants const& said, Subject const& subject,
                       view::Tree& tree) const {
  put(always, subject, tree);
  put(kind.set, subject, tree);
  put(said, subject, tree);
  say(words, subject, tree);
  say(kind.words, subject, tree);
  FieldTable const& table = catalog->fields();
  std::map<std::string_view, std::vector<Left>> left;
  for (Field const* field = subject.batch.begin(subject.event);
       field != subject.batch.end(subject.event); ++field) {
    if (field->id == kUnlisted) {
      left[field->view()].push_back({field + 1, FieldType::text});
      ++field;
    } else if (FieldType const type = table.type(field->id); !place(kind, *field, type, tree)) {
      left[table.name(field->id)].push_back({field, type});
    }
  }
  for (std::vector<std::string> const& any : kind.need) {
    if (std::none_of(any.begin(), any.end(), [&](auto const& path) { return tree.has(path); })) {
      return false;
    }
  }
  std::string rest_json;
  for (auto const& [field_name, values] : left) {
    add_rest(rest_json, field_name, values);
  }
  finish(tree, std::move(rest_json));
  return true;
}

void View::Impl::finish(view::Tree& tree, std::string rest_json) const {
  if (!rest_json.empty()) {
    tree.set(rest, "{" + rest_json + "}");
  }
  std::string const* const class_id = tree.find("class_uid");
  std::string const* const activity = tree.find("activity_id");
  if (class_id != nullptr && activity != nullptr) {
    std::int64_t const uid =
        parse_int(*class_id).value_or(0) * 100 + parse_int(*activity).value_or(0);
    tree.set("type_uid", std::to_string(uid));
  }
}

void View::append(std::string& out, Batch const& batch, Event const& event,
                  std::string_view log_name) const {
  Impl::Subject const subject{batch, event, log_name};
  std::string const& type = impl_->catalog->type(event.type).name;
  std::string action;
  for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
    if (field->id == impl_->action) {
      action = field->view();
      break;
    }
  }
  for (view::Kind const& kind : impl_->kinds) {
    auto const by_action = kind.actions.find(action);
    bool const fits =
        by_action != kind.actions.end() ||
        std::any_of(kind.types.begin(), kind.types.end(),
                    [&](std::string const& begin) { return type.starts_with(begin); });
    view::Tree tree;
    static view::Constants const none;
    if (fits && impl_->build(kind, by_action == kind.actions.end() ? none : by_action->second,
                             subject, tree)) {
      tree.append(out);
      return;
    }
  }
  view::Tree tree;
  impl_->build({}, {}, subject, tree);
  tree.append(out);
}

}  // namespace vedette::normalize
