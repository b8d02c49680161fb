// Records of several lines, as a source's `multiline:` describes them. Only the lines themselves
// decide (and that nothing more comes), so records do not depend on how a log is cut into blocks.
#pragma once

#include "base/result.hpp"
#include "decode/decoder.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vedette::decode {

struct MultilineRule {
  std::string begin;      ///< a line that matches begins a record; RE2, or `literal:TEXT` in front
  std::string end;        ///< a line that matches ends it
  bool indent = false;    ///< lines that begin with a blank or a tab belong to the one before
  bool brackets = false;  ///< a record goes on until its (), [] and {} outside of quotes are closed
  std::size_t most = 1 << 20;  ///< bytes of a record; the line that would pass them begins the next
};

class Multiline {
 public:
  /// An error says what is wrong with a pattern, or that nothing is said.
  static Result<std::shared_ptr<Multiline const>> make(MultilineRule const& rule);
  /// From words as users write them: `begin:PATTERN`, `end:PATTERN`, `indent`, `brackets`.
  static Result<std::shared_ptr<Multiline const>> parse(std::span<std::string const> words);
  /// Records by their brackets, for logs of pretty-printed JSON.
  static Multiline const& by_brackets();
  ~Multiline();

  /// Appends the records that the lines (of one block) form and returns how many lines they hold;
  /// the lines after them are of a record that may go on. `final`: nothing goes on.
  std::size_t join(std::span<Record const> lines, bool final, std::vector<Record>& out) const;

 private:
  struct Impl;
  Multiline();
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::decode
