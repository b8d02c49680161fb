// What rules that remember have learnt from history: `scan --learn --state DIR` writes it, `scan
// --state DIR` and the first start of `run` begin with it.
#pragma once

#include "app/pipeline.hpp"
#include "app/state_folder.hpp"
#include "base/result.hpp"

#include <string>
#include <utility>

namespace vedette::app {

/// After Pipeline::run_to_end() with PipelineOptions::learn. Whole or not at all.
Status save_learnt(StateFolder const& folder, Pipeline& pipeline);
/// Into a pipeline that has read nothing; nothing happens where nothing was learnt. State of rules
/// that have changed since is left out and counted as the engine does.
Status load_learnt(std::string const& folder, Pipeline& pipeline);

/// A copy of a state folder to work on, gone with the object: who only begins with what was learnt
/// leaves it as it is.
class ScratchCopy {
 public:
  static Result<ScratchCopy> of(StateFolder const& folder);
  ~ScratchCopy();
  ScratchCopy(ScratchCopy&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchCopy& operator=(ScratchCopy&&) = delete;
  std::string const& path() const { return path_; }

 private:
  explicit ScratchCopy(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace vedette::app
