// docs/configuration.md shows only configurations that the program takes; the schema and the
// reference in docs/ are what the program would write today. VEDETTE_UPDATE=1 writes them.
#include "app/config.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace vedette::app {
namespace {

struct CloseDocument {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Document = std::unique_ptr<std::FILE, CloseDocument>;

/// Tests run in the folder of the repository.
std::string document(std::string const& path) {
  Document const file(std::fopen(path.c_str(), "rb"));
  REQUIRE_MESSAGE(file != nullptr, path << " is not there; run from the root of the repository");
  std::string text(1 << 20, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

void expect_document(std::string const& path, std::string const& text) {
  if (std::getenv("VEDETTE_UPDATE") != nullptr) {
    Document const file(std::fopen(path.c_str(), "wb"));
    REQUIRE(file != nullptr);
    REQUIRE_EQ(std::fwrite(text.data(), 1, text.size(), file.get()), text.size());
  }
  // Not compared by doctest: it would print both.
  bool const same = document(path) == text;
  CHECK_MESSAGE(same, path << " is out of date; run the unit tests with VEDETTE_UPDATE=1");
}

void expect_valid(std::string const& text, std::string const& place) {
  // What the examples refer to is there when they are used.
  for (std::size_t at = text.find("${env:"); at != std::string::npos;
       at = text.find("${env:", at)) {
    at += 6;
    setenv(text.substr(at, text.find('}', at) - at).c_str(), "example", 0);
  }
  std::vector<Error> problems;
  parse_config(text, place, program_specs(), problems);
  for (Error const& problem : problems) {
    FAIL_CHECK(problem.text());
  }
}

}  // namespace

TEST_CASE("configuration documents: schema and reference agree with the program") {
  expect_document("docs/config.schema.json", config_schema(program_specs()));
  expect_document("docs/configuration-reference.md", config_reference(program_specs()));
}

TEST_CASE("configuration documents: every YAML block is a valid configuration") {
  for (char const* const path : {"docs/configuration.md", "docs/configuration-reference.md"}) {
    std::string const text = document(path);
    std::size_t blocks = 0;
    for (std::size_t at = text.find("```yaml\n"); at != std::string::npos;
         at = text.find("```yaml\n", at)) {
      at += 8;
      std::size_t const end = text.find("```", at);
      REQUIRE_NE(end, std::string::npos);
      ++blocks;
      expect_valid(text.substr(at, end - at),
                   std::string(path) + ", block " + std::to_string(blocks));
      at = end;
    }
    CHECK_GT(blocks, 0);
  }
}

}  // namespace vedette::app
