// Lines that nobody understood, told apart by their shape, so that a person sees a dozen forms in
// place of a million lines, and as templates to start from.
//
// A line is words and what stands between them. Lines with the same punctuation belong together
// when most of their words agree; where they do not, the shape has a capture. One pass, memory
// bounded whatever the lines hold: so many shapes, the rest counted as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vedette::decode {

class ShapeTable {
 public:
  static constexpr std::size_t kMaxShapes = 512;
  static constexpr std::size_t kMaxWords = 48;    ///< of a line; what follows is one capture
  static constexpr std::size_t kMaxText = 1024;   ///< bytes of a line that are looked at
  static constexpr std::size_t kMaxSample = 400;  ///< bytes of a sample that are kept

  struct Shape {
    std::string program;  ///< of the syslog header, or the decoder files' name of plain text
    std::string sample;   ///< the first line of this shape
    std::string pattern;  ///< ready for `match:`
    std::uint64_t lines = 0;
  };

  void add(std::string_view program, std::string_view message);
  /// Most lines first.
  std::vector<Shape> shapes() const;
  std::uint64_t lines() const { return lines_; }
  /// Lines of shapes past the bound.
  std::uint64_t others() const { return others_; }

 private:
  enum class Kind : std::uint8_t { literal, integer, ip, ip_port, word };
  struct Word {
    std::string text;  ///< of a literal
    Kind kind = Kind::literal;
  };
  struct Cluster {
    std::string program, sample;
    std::string gaps;  ///< what stands between the words, each ended by a NUL
    std::vector<Word> words;
    bool rest = false;  ///< lines were longer
    std::uint64_t lines = 0;
  };
  struct Line;

  static void read(std::string_view message, Line& line);
  static Kind kind_of(std::string_view word);
  static bool fits(Cluster const& cluster, Line const& line);
  static void merge(Cluster& cluster, Line const& line);
  static std::string template_of(Cluster const& cluster);

  std::vector<Cluster> clusters_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_gaps_;
  std::uint64_t lines_ = 0;
  std::uint64_t others_ = 0;
};

}  // namespace vedette::decode
