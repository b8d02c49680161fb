// A node is a byte (kind, quoted), its line and what it holds; numbers are of 7 bits a byte, lowest
// first; texts and lists begin with their size.
#include "base/yaml_tree.hpp"

#include <cstddef>

namespace vedette::yaml {
namespace {

constexpr unsigned kQuoted = 4;  // beside the kind

class Packer {
 public:
  void node(Node const& node) {
    out_ += static_cast<char>(static_cast<unsigned>(node.kind) | (node.quoted ? kQuoted : 0U));
    number(static_cast<std::size_t>(node.line));
    switch (node.kind) {
      case Node::Kind::null:
        break;
      case Node::Kind::scalar:
        text(node.scalar);
        break;
      case Node::Kind::list:
        number(node.items.size());
        for (Node const& item : node.items) {
          this->node(item);
        }
        break;
      case Node::Kind::map:
        number(node.fields.size());
        for (std::size_t i = 0; i < node.fields.size(); ++i) {
          number(static_cast<std::size_t>(node.key_lines[i]));
          text(node.fields[i].first);
          this->node(node.fields[i].second);
        }
        break;
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void number(std::size_t value) {
    for (; value >= 0x80; value >>= 7) {
      out_ += static_cast<char>(value | 0x80);
    }
    out_ += static_cast<char>(value);
  }
  void text(std::string_view text) {
    number(text.size());
    out_ += text;
  }

  std::string out_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view packed) : rest_(packed) {}

  Node node() {
    Node out;
    unsigned const head = byte();
    out.kind = static_cast<Node::Kind>(head & (kQuoted - 1));
    out.quoted = (head & kQuoted) != 0;
    out.line = static_cast<int>(number());
    switch (out.kind) {
      case Node::Kind::null:
        break;
      case Node::Kind::scalar:
        out.scalar = text();
        break;
      case Node::Kind::list: {
        std::size_t const size = number();
        out.items.reserve(size);
        for (std::size_t i = 0; i < size; ++i) {
          out.items.push_back(node());
        }
        break;
      }
      case Node::Kind::map: {
        std::size_t const size = number();
        out.fields.reserve(size);
        out.key_lines.reserve(size);
        for (std::size_t i = 0; i < size; ++i) {
          out.key_lines.push_back(static_cast<int>(number()));
          std::string key(text());
          out.fields.emplace_back(std::move(key), node());
        }
        break;
      }
    }
    return out;
  }

 private:
  unsigned byte() {
    CHECK(!rest_.empty());
    auto const out = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return out;
  }
  std::size_t number() {
    std::size_t out = 0;
    for (unsigned shift = 0;; shift += 7) {
      unsigned const next = byte();
      out |= static_cast<std::size_t>(next & 0x7F) << shift;
      if (next < 0x80) {
        return out;
      }
    }
  }
  std::string_view text() {
    std::size_t const size = number();
    CHECK(size <= rest_.size());
    std::string_view const out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }

  std::string_view rest_;
};

}  // namespace

std::string pack(Node const& root) {
  Packer packer;
  packer.node(root);
  return packer.take();
}

Node unpack(std::string_view packed) { return Unpacker(packed).node(); }

}  // namespace vedette::yaml
