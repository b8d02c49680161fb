// How many lines of which shape nobody understood, for a report: the same counts in whatever order
// and in however many parts the lines come. (ShapeTable makes templates, and depends on the order.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {

class ShapeCount {
 public:
  /// Of more shapes those with the least hashes are told apart, the others counted together.
  static constexpr std::size_t kMaxShapes = 4096;
  static constexpr std::size_t kMaxSample = 160;

  struct Shape {
    std::string program;
    std::string sample;  ///< the least of its lines
    std::uint64_t lines = 0;
  };

  void add(std::string_view program, std::string_view message);
  void add(ShapeCount const& other);
  /// Most lines first.
  std::vector<Shape> shapes() const;
  std::uint64_t lines() const { return lines_; }
  /// Lines of shapes past the bound.
  std::uint64_t others() const { return others_; }

 private:
  void add(std::uint64_t hash, std::string_view program, std::string_view sample,
           std::uint64_t lines);

  std::map<std::uint64_t, Shape> shapes_;  // by hash of the shape
  std::uint64_t lines_ = 0;
  std::uint64_t others_ = 0;
};

}  // namespace vedette::decode
