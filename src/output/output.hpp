// Where alerts go. One file per output, listed in output.def. Delivery never blocks detection: each
// output has its own thread and cursor in the durable outbox.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "flow/options.hpp"

namespace vedette::output {

/// One alert revision as the outbox holds it.
struct Message {
  std::uint64_t sequence = 0;  ///< position in the outbox, from 1
  std::string id;              ///< alert id (webhooks send it as idempotency key)
  std::uint32_t revision = 0;
  std::string level;           ///< `high`
  std::string json;            ///< the alert, one line without LF
};

class Output {
 public:
  virtual ~Output() = default;
  virtual Status open() = 0;
  /// Called by the output's delivery thread; may wait for IO. An error is retried with back-off
  /// (1 s doubling to 5 min, for ever); the message is not lost.
  virtual Status deliver(Message const& message) = 0;
  /// Everything delivered so far is on disk or acknowledged.
  virtual Status flush() { return {}; }
  /// State to put into a checkpoint (a file's length), one line; after a crash restore() gets it
  /// back before the first deliver() and undoes what came later (a file is cut back).
  virtual std::string position() const { return {}; }
  virtual Status restore(std::string_view) { return {}; }
};

struct OutputContext {
  Clock const* clock = nullptr;
  std::string name;
};

struct OutputSpec {
  std::string_view name;
  std::string_view summary;
  std::vector<OptionSpec> options;
  std::string_view example;  ///< YAML of one `outputs:` entry
  Result<std::unique_ptr<Output>> (*make)(Options const&, OutputContext const&);
};

std::span<OutputSpec const> output_specs();

}  // namespace vedette::output
