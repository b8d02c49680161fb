#include "app/learnt_state.hpp"

#include "state/snapshot.hpp"

#include <cstdlib>
#include <filesystem>

namespace vedette::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFile = "learnt";
// A number keeps its meaning for ever.
enum LearntField : std::uint16_t { kLearntEngine = 1, kLearntEvidence = 2, kLearntNames = 3 };

}  // namespace

Status save_learnt(StateFolder const& folder, Pipeline& pipeline) {
  state::SnapshotWriter engine, evidence, out;
  TRY(pipeline.engine().save(engine));
  TRY(pipeline.evidence().save(evidence));
  out.nested(kLearntEngine, engine);
  out.nested(kLearntEvidence, evidence);
  out.texts(kLearntNames, pipeline.log_names());
  TRY(state::write_checkpoint(folder.file(kFile), out.data()));
  pipeline.engine().committed();
  return {};
}

Status load_learnt(std::string const& folder, Pipeline& pipeline) {
  TRY(auto const content, state::read_checkpoint(folder + "/" + std::string(kFile)));
  if (content.empty()) {
    return {};
  }
  TRY(auto const saved, state::SnapshotReader::open(content));
  TRY(auto evidence, saved.nested(kLearntEvidence));
  TRY(pipeline.evidence().load(evidence));
  TRY(auto const engine, saved.nested(kLearntEngine));
  TRY(pipeline.engine().load(engine));
  pipeline.evidence().drop_unused();
  pipeline.set_log_names(saved.texts(kLearntNames));
  return {};
}

Result<ScratchCopy> ScratchCopy::of(StateFolder const& folder) {
  std::string path = fs::temp_directory_path().string() + "/vedette-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return fail("no temporary folder can be made under " + fs::temp_directory_path().string());
  }
  ScratchCopy out(path);
  std::error_code code;
  fs::copy(folder.path(), path, fs::copy_options::recursive, code);
  if (code) {
    return fail("cannot copy " + folder.path() + " to " + path + ": " + code.message(),
                "free disk space, or name a larger folder in TMPDIR");
  }
  return out;
}

ScratchCopy::~ScratchCopy() {
  if (!path_.empty()) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
}

}  // namespace vedette::app
