#include "lang/sigma_collection.hpp"

#include <algorithm>

namespace vedette::lang::sigma {
namespace {

using yaml::Node;

void set_key(Node& map, std::string const& key, Node value, int line) {
  for (auto& [name, old] : map.fields) {
    if (name == key) {
      if (old.is_map() && value.is_map()) {
        for (std::size_t i = 0; i < value.fields.size(); ++i) {
          set_key(old, value.fields[i].first, value.fields[i].second, value.key_lines[i]);
        }
      } else {
        old = std::move(value);
      }
      return;
    }
  }
  map.fields.emplace_back(key, std::move(value));
  map.key_lines.push_back(line);
}

/// `over` on top of `base`.
Node merged(Node base, Node const& over) {
  for (std::size_t i = 0; i < over.fields.size(); ++i) {
    set_key(base, over.fields[i].first, over.fields[i].second, over.key_lines[i]);
  }
  base.kind = Node::Kind::map;
  base.line = over.line;
  return base;
}

void erase_key(Node& map, std::string_view key) {
  for (std::size_t i = 0; i < map.fields.size(); ++i) {
    if (map.fields[i].first == key) {
      map.fields.erase(map.fields.begin() + static_cast<std::ptrdiff_t>(i));
      map.key_lines.erase(map.key_lines.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
  }
}

class Collection {
 public:
  std::vector<Collected> run(std::vector<YamlDocument> documents) {
    for (YamlDocument& document : documents) {
      add(std::move(document));
    }
    return std::move(out_);
  }

 private:
  void add(YamlDocument&& document) {
    std::string const action = take_action(document);
    if (action == "global") {
      global_ = merged(std::move(global_), *document.root);
      global_text_ += std::string(document.text) + "\n";
      return;
    }
    if (action == "reset") {
      global_ = Node{};
      global_text_.clear();
      return;
    }
    if (!action.empty() && action != "repeat") {
      document.root = fail_at({}, document.root->line, "unknown action '" + action + "'",
                              "known: global repeat reset");
    }
    Collected collected{std::move(document), {}};
    if (collected.yaml.root && collected.yaml.root->is_map()) {
      inherit(action == "repeat", collected);
    }
    out_.push_back(std::move(collected));
  }

  void inherit(bool repeats, Collected& document) {
    Node const own = *document.yaml.root;
    if (repeats && !last_.is_null()) {
      document.yaml.root = merged(last_, own);
      document.inherited = last_text_;
      own_names(own, *document.yaml.root);
    } else if (!global_.fields.empty()) {
      document.yaml.root = merged(global_, own);
      document.inherited = global_text_;
      for (std::string_view const key : {"id", "name"}) {
        erase_key(global_, key);
      }
    }
    last_ = *document.yaml.root;
    last_text_ = document.inherited + std::string(document.yaml.text) + "\n";
  }

  static void own_names(Node const& own, Node& document) {
    for (std::string_view const key : {"id", "name"}) {
      if (own.find(key) == nullptr) {
        erase_key(document, key);
      }
    }
  }

  /// "" when there is none; the key itself goes.
  static std::string take_action(YamlDocument& document) {
    if (!document.root || !document.root->is_map()) {
      return {};
    }
    Node const* const action = document.root->find("action");
    std::string const out = action == nullptr     ? ""
                            : action->is_scalar() ? action->scalar
                                                  : "(no text)";
    erase_key(*document.root, "action");
    return out;
  }

  std::vector<Collected> out_;
  Node global_;
  std::string global_text_;
  Node last_;
  std::string last_text_;
};

}  // namespace

std::vector<Collected> collect(std::vector<YamlDocument> documents) {
  return Collection().run(std::move(documents));
}

}  // namespace vedette::lang::sigma
