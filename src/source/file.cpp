// Plugin: files, folders and globs, also compressed; followed in `run`, read to their end in
// `scan`.
#include "source/file_source.hpp"

namespace vedette::source::file {
namespace {

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  auto settings = std::make_shared<FileSettings>();
  settings->clock = context.clock;
  settings->follow = context.follow;
  settings->from_end = context.follow && options.text("from") == "end";
  settings->max_record = options.given("max_record")
                             ? static_cast<std::size_t>(options.size("max_record"))
                             : context.max_record;
  if (settings->max_record == 0 || settings->max_record > (std::size_t{1} << 30)) {
    return fail("max_record is not between 1 byte and 1 GiB");
  }
  std::vector<std::string> const& paths = options.list("paths");
  if (paths.empty()) {
    return fail("no paths are given", "name files, folders or globs");
  }
  return std::make_unique<FileSource>(std::move(name), paths, std::move(settings));
}

}  // namespace

SourceSpec spec() {
  using Type = OptionSpec::Type;
  return {
      .name = "file",
      .summary = "files, folders and globs; gz and zst too; follows growth and rotation",
      .options =
          {
              {.name = "paths",
               .type = Type::list,
               .doc = "files, folders (with all below) and globs (* ? [a-z], ** for any depth)",
               .required = true},
              {.name = "from",
               .type = Type::choice,
               .doc = "where to begin in files that are there at the first start",
               .fallback = "start",
               .choices = {"start", "end"}},
              {.name = "max_record",
               .type = Type::size,
               .doc = "longer lines are cut after this many bytes, and counted",
               .fallback = "1MiB"},
          },
      .example = "{name: auth, type: file, paths: [/var/log/auth.log*], from: start}",
      .make = &make,
  };
}

}  // namespace vedette::source::file
