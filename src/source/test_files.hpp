// For tests of this room: a folder that goes away again, files in it, and a source read to its end.
#pragma once

#include "base/clock.hpp"
#include "flow/source.hpp"
#include "source/registry.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace vedette::source::test {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/vedette-source-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;

  std::string operator/(std::string const& name) const { return path_ + "/" + name; }
  std::string const& path() const { return path_; }
  void write(std::string const& name, std::string const& text) const {
    std::filesystem::create_directories(std::filesystem::path(*this / name).parent_path());
    std::ofstream(*this / name, std::ios::binary | std::ios::trunc) << text;
  }
  void append(std::string const& name, std::string const& text) const {
    std::ofstream(*this / name, std::ios::binary | std::ios::app) << text;
  }
  void rename(std::string const& from, std::string const& to) const {
    std::filesystem::rename(*this / from, *this / to);
  }
  void copy(std::string const& from, std::string const& to) const {
    std::filesystem::copy_file(*this / from, *this / to,
                               std::filesystem::copy_options::overwrite_existing);
  }
  void remove(std::string const& name) const { std::filesystem::remove(*this / name); }
  void truncate(std::string const& name) const { std::filesystem::resize_file(*this / name, 0); }

 private:
  std::string path_;
};

std::string gzip(std::string const& text);  // decompress_test.cpp
std::string zstd(std::string const& text);

/// What came out of one log.
struct Read {
  std::string text;
  std::vector<std::string> ids;  ///< generation@offset of each record
  std::vector<std::string> errors;
  std::size_t cut = 0;
  bool ended = false;
};

inline void add_block(Read& out, Block const& block) {
  std::string const text(block.data.get(), block.size);
  out.text += text;
  out.cut += block.cut ? 1 : 0;
  if (block.cut || !text.ends_with('\n')) {
    out.text += '\n';
  }
  for (std::size_t at = 0; at < text.size(); at = std::min(text.find('\n', at), text.size()) + 1) {
    out.ids.push_back(std::to_string(block.generation) + '@' + std::to_string(block.offset + at));
  }
}

/// Reads until there is nothing (now).
inline void read_on(Log& log, Read& out, std::size_t want = 65536) {
  while (true) {
    Block block;
    Result<ReadState> const state = log.read(block, want);
    if (!state) {
      out.errors.push_back(state.error().text());
    } else if (*state == ReadState::data) {
      add_block(out, block);
    } else {
      out.ended = *state == ReadState::end;
      return;
    }
  }
}

inline Read read_all(Log& log, std::size_t want = 65536) {
  Read out;
  read_on(log, out, want);
  return out;
}

inline std::unique_ptr<Source> make_source(std::string_view type, Options const& options,
                                           SourceContext const& context) {
  SourceSpec const* const spec = find_source(type);
  REQUIRE(spec != nullptr);
  auto made = spec->make(std::string(type), options, context);
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().text()));
  return std::move(*made);
}

inline SourceContext scan_context() {
  SourceContext context;
  context.clock = &system_clock();
  return context;
}

}  // namespace vedette::source::test
