// The files of content/, as they were when the program was built (tools/embed_content.cpp writes
// the table).
#pragma once

#include <span>
#include <string_view>

namespace vedette::catalog {

struct EmbeddedFile {
  std::string_view path;  // relative to content/, e.g. "decoders/sshd.yaml"
  std::string_view text;
  std::string_view
      tree;  // its YAML, as yaml::unpack() reads it; "" when it is of several documents
};

// Sorted by path.
std::span<EmbeddedFile const> embedded_files();

}  // namespace vedette::catalog
