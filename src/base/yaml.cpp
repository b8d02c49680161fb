// The only includer of yaml-cpp. Its parser calls Builder, which makes our tree; its exceptions end
// here.
#include "base/yaml.hpp"

#include "base/json.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <sstream>

namespace vedette::yaml {
namespace {

constexpr std::size_t kMaxDepth = 100;
constexpr std::size_t kMaxNodes = 1'000'000;
constexpr std::size_t kLongestWord = 64;  ///< of which nearest() measures the distance

/// Thrown by Builder through yaml-cpp, caught in parse_all.
struct Stop {
  int line;
  std::string message;
};

int line_of(YAML::Mark const& mark) { return mark.line + 1; }

/// Makes Nodes of yaml-cpp's events.
class Builder final : public YAML::EventHandler {
 public:
  /// `text` is what is parsed, without byte order mark.
  explicit Builder(std::string_view text) : text_(text) {}
  std::vector<Node> take_documents() { return std::move(documents_); }

  void OnDocumentStart(YAML::Mark const&) override { anchors_.clear(); }
  void OnDocumentEnd() override {}

  void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    Node node;
    node.line = line_of(mark);
    place(std::move(node), anchor, 1, 0);
  }

  void OnAlias(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    auto const found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Stop{line_of(mark), "this alias stands inside the node it names"};
    }
    Anchor const& target = found->second;
    count(target.nodes, line_of(mark));
    place(target.node, 0, target.nodes, target.height);
  }

  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                std::string const& value) override {
    Node node;
    node.kind = Node::Kind::scalar;
    node.quoted = tag != "?";
    node.line = line_of(mark);
    node.scalar = value;
    count(1, node.line);
    check_quote_ends(mark);
    place(std::move(node), anchor, 1, 0);
  }

  void OnSequenceStart(YAML::Mark const& mark, std::string const&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(YAML::Mark const& mark, std::string const&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Anchor {
    Node node;
    std::size_t nodes;
    std::size_t height;
  };
  /// A list or map that is being read.
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    std::size_t nodes = 1;
    std::size_t height = 0;
    bool has_key = false;
    std::map<std::string, std::size_t, std::less<>> keys;
  };

  /// yaml-cpp takes the end of the file for the end of a quoted text; we do not.
  void check_quote_ends(YAML::Mark const& mark) const {
    auto at = static_cast<std::size_t>(mark.pos);
    if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) {
      return;
    }
    char const quote = text_[at];
    for (++at; at < text_.size(); ++at) {
      bool const doubled = quote == '\'' && text_.substr(at, 2) == "''";
      bool const escaped = quote == '"' && text_[at] == '\\';
      if (doubled || escaped) {
        ++at;
      } else if (text_[at] == quote) {
        return;
      }
    }
    throw Stop{line_of(mark), "a quoted text begins here and does not end"};
  }

  void count(std::size_t nodes, int line) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes) {
      throw Stop{line, "more than 1,000,000 nodes with all aliases expanded"};
    }
  }

  void start(YAML::Mark const& mark, YAML::anchor_t anchor, Node::Kind kind) {
    count(1, line_of(mark));
    if (!open_.empty() && open_.back().node.is_map() && !open_.back().has_key) {
      throw Stop{line_of(mark), "a key must be text"};
    }
    if (open_.size() >= kMaxDepth) {
      throw Stop{line_of(mark), "nested deeper than 100 levels"};
    }
    Open& top = open_.emplace_back();
    top.node.kind = kind;
    top.node.line = line_of(mark);
    top.anchor = anchor;
  }

  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    place(std::move(done.node), done.anchor, done.nodes, done.height + 1);
  }

  /// Puts a finished node where it belongs: key, value, item or document.
  void place(Node node, YAML::anchor_t anchor, std::size_t nodes, std::size_t height) {
    if (anchor != 0) {
      count(nodes, node.line);  // the copy is held too
      anchors_.insert_or_assign(anchor, Anchor{node, nodes, height});
    }
    if (open_.size() + height > kMaxDepth) {
      throw Stop{node.line, "nested deeper than 100 levels"};
    }
    if (open_.empty()) {
      count(1, node.line);  // also ends any endless run of empty documents
      documents_.push_back(std::move(node));
      return;
    }
    Open& top = open_.back();
    top.nodes += nodes;
    top.height = std::max(top.height, height);
    if (top.node.is_list()) {
      top.node.items.push_back(std::move(node));
    } else if (!top.has_key) {
      place_key(top, std::move(node));
    } else {
      if (node.is_null()) {
        node.line = top.node.key_lines.back();  // the parser is further on already
      }
      top.node.fields.back().second = std::move(node);
      top.has_key = false;
    }
  }

  static void place_key(Open& top, Node key) {
    if (!key.is_scalar()) {
      throw Stop{key.line, "a key must be text; put it in quotes"};
    }
    auto const [first, added] = top.keys.try_emplace(key.scalar, top.node.fields.size());
    if (!added) {
      throw Stop{key.line, "the key '" + key.scalar + "' is there twice, first in line " +
                               std::to_string(top.node.key_lines[first->second])};
    }
    top.node.key_lines.push_back(key.line);
    top.node.fields.emplace_back(std::move(key.scalar), Node{});
    top.has_key = true;
  }

  std::string_view text_;
  std::vector<Node> documents_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchor> anchors_;
  std::size_t nodes_ = 0;
};

/// yaml-cpp takes byte 4 for the end of the text and repairs broken UTF-8 silently: both are
/// refused before it sees them.
Status check_bytes(std::string_view text, std::string const& file) {
  int line = 1;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      ++line;
    } else if ((byte < 0x20 && c != '\t' && c != '\r') || byte == 0x7F) {
      return fail_at(file, line, "this line holds a control character", "remove it");
    }
  }
  if (json::valid_utf8(text)) {
    return {};
  }
  line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    std::size_t const end = std::min(text.find('\n', begin), text.size());
    if (!json::valid_utf8(text.substr(begin, end - begin))) {
      break;
    }
    begin = end + 1;
  }
  return fail_at(file, line, "this line is not UTF-8", "save the file as UTF-8");
}

/// yaml-cpp's words, with a lower-case beginning as all our messages have.
std::string syntax_message(std::string message) {
  if (message.size() > 1 && message[1] >= 'a' && message[1] <= 'z') {
    message[0] = static_cast<char>(message[0] | 0x20);
  }
  return "YAML: " + message;
}

}  // namespace

Node const* Node::find(std::string_view key) const {
  for (auto const& [name, value] : fields) {
    if (name == key) {
      return &value;
    }
  }
  return nullptr;
}

Result<std::vector<Node>> parse_all(std::string_view text, std::string const& file) {
  TRY(check_bytes(text, file));
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  Builder builder(text);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (Stop const& stop) {
    return fail_at(file, stop.line, stop.message);
  } catch (YAML::Exception const& exception) {
    return fail_at(file, std::max(1, line_of(exception.mark)), syntax_message(exception.msg));
  } catch (std::exception const& exception) {
    return fail_at(file, 1, syntax_message(exception.what()));
  }
  return builder.take_documents();
}

Result<Node> parse(std::string_view text, std::string const& file) {
  TRY(std::vector<Node> documents, parse_all(text, file));
  if (documents.empty()) {
    Node node;
    node.line = 1;
    return node;
  }
  if (documents.size() > 1) {
    return fail_at(file, documents[1].line, "a second document begins here",
                   "this file must hold one");
  }
  return std::move(documents.front());
}

std::string nearest(std::string_view word, std::vector<std::string_view> const& known) {
  std::string_view best;
  std::size_t best_distance = 4;
  if (word.size() > kLongestWord) {
    return {};
  }
  for (std::string_view const candidate : known) {
    if (candidate.size() > kLongestWord) {
      continue;
    }
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = i;
    }
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        std::size_t const above = row[j];
        row[j] = std::min(
            {above + 1, row[j - 1] + 1, diagonal + (word[i - 1] == candidate[j - 1] ? 0U : 1U)});
        diagonal = above;
      }
    }
    // A word that has nothing in common with the candidate is no misspelling of it.
    if (row.back() < best_distance && row.back() < std::max(word.size(), candidate.size())) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return std::string(best);
}

Status expect_keys(Node const& map, std::vector<std::string_view> const& known,
                   std::string const& file) {
  if (!map.is_map()) {
    return fail_at(file, map.line, "a map of keys is expected here");
  }
  for (std::size_t i = 0; i < map.fields.size(); ++i) {
    std::string const& key = map.fields[i].first;
    if (std::find(known.begin(), known.end(), key) != known.end()) {
      continue;
    }
    std::string const near = nearest(key, known);
    std::string hint = near.empty() ? "" : "did you mean '" + near + "'? ";
    hint += "known:";
    for (std::string_view const name : known) {
      hint.append(" ").append(name);
    }
    return fail_at(file, map.key_lines[i], "unknown key '" + key + "'", hint);
  }
  return {};
}

}  // namespace vedette::yaml
