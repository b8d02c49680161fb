// vedette run: the pipeline with everything that makes it a service: durable state, outputs,
// signals, changed rules without restart.
#pragma once

#include "app/config.hpp"
#include "app/loading.hpp"
#include "app/pipeline.hpp"
#include "app/state_folder.hpp"
#include "app/status_socket.hpp"
#include "base/clock.hpp"
#include "detect/provisional.hpp"

#include <memory>
#include <string>

namespace vedette::app {

struct ServiceOptions {
  unsigned workers = 2;
  std::size_t read_size = 256 << 10;
  Nanos checkpoint_every = 5 * kSecond;
};

/// Everything that is made from one version of the configuration and the rules. On a change the old
/// one is cut (checkpoint) and a new one goes on from there.
class Service {
 public:
  /// Loads content, rules and the checkpoint, opens sources and outputs.
  static Result<std::unique_ptr<Service>> make(Config config, StateFolder& folder,
                                               ServiceOptions const& options, Clock const& clock);
  ~Service();

  enum class Ended : std::uint8_t { stopped, changed };
  /// Works until a signal (SIGTERM, SIGINT) or a change of configuration or rules (also SIGHUP).
  /// `signals`: a signalfd of these. A full disk stops reading until there is room again.
  Ended run(int signals, StatusSocket& status);
  /// Stops reading, judges what was read, cuts, lets outputs deliver for a moment, and closes.
  Status finish();
  std::string status_json();

 private:
  struct Impl;
  Service();
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::app
