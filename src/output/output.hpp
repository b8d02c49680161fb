// Where alerts go. One file per output, listed in output.def. Delivery never blocks detection: each
// output has its own thread and cursor in the durable outbox.
#pragma once

#include "alert/message.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "flow/options.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::output {

using alert::Message;

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
  /// Called by another thread: a deliver() that waits should return soon, with an error.
  virtual void stop() {}
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

/// All outputs of output.def, sorted by name.
std::span<OutputSpec const> output_specs();
/// The output of that name, or nullptr.
OutputSpec const* find_output(std::string_view name);

}  // namespace vedette::output
