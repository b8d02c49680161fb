#include "source/received.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace vedette::source {

std::vector<OptionSpec> with_journal_options(std::vector<OptionSpec> own) {
  using Type = OptionSpec::Type;
  own.push_back({.name = "max_record",
                 .type = Type::size,
                 .doc = "longer records are cut after this many bytes, and counted",
                 .fallback = "1MiB"});
  own.push_back({.name = "max_connections",
                 .type = Type::integer,
                 .doc = "connections at once; one address may have a quarter of them",
                 .fallback = "1024"});
  return with_journal_size(std::move(own));
}

std::vector<OptionSpec> with_journal_size(std::vector<OptionSpec> own) {
  using Type = OptionSpec::Type;
  for (OptionSpec const& spec : std::initializer_list<OptionSpec>{
           {.name = "sync",
            .type = Type::choice,
            .doc = "batch: records are on disk before they are read or acknowledged; none: they "
                   "survive a killed program, not a power cut",
            .fallback = "batch",
            .choices = {"batch", "none"}},
           {.name = "journal_size",
            .type = Type::size,
            .doc = "receiving waits, or is refused, when so much is received and not yet read",
            .fallback = "8GiB"},
       }) {
    own.push_back(spec);
  }
  return own;
}

Result<JournalOptions> journal_options(Options const& options, std::size_t max_record) {
  JournalOptions journal;
  journal.sync = options.text("sync") == "batch";
  journal.most_bytes = options.size("journal_size");
  std::uint64_t const least = (16ULL << 20) + 8 * std::uint64_t{max_record};
  if (journal.most_bytes != 0 && journal.most_bytes < least) {
    return fail("journal_size is too small",
                "at least " + std::to_string(least) + " bytes, or 0 for no bound");
  }
  if (journal.most_bytes != 0) {
    // Whole segments are deleted: some must be behind the one that is written.
    journal.segment_size = std::min(journal.segment_size, journal.most_bytes / 8);
  }
  return journal;
}

Result<std::size_t> max_record_option(Options const& options, SourceContext const& context) {
  std::size_t const out = options.given("max_record")
                              ? static_cast<std::size_t>(options.size("max_record"))
                              : context.max_record;
  if (out < 480 || out > (std::size_t{1} << 30)) {
    return fail("max_record is not between 480 bytes and 1 GiB");
  }
  return out;
}

Result<std::size_t> max_connections_option(Options const& options) {
  std::int64_t const out = options.integer("max_connections");
  if (out < 1 || out > 1'000'000) {
    return fail("max_connections is not between 1 and 1000000");
  }
  return static_cast<std::size_t>(out);
}

Status make_folder(std::string const& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("cannot make folder " + path, errno);
  }
  return {};
}

}  // namespace vedette::source
