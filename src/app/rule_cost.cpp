#include "app/rule_cost.hpp"

#include "app/pipeline.hpp"
#include "base/clock.hpp"
#include "source/registry.hpp"

namespace vedette::app {
namespace {

/// What is found is not asked for.
class NoSink final : public detect::EpisodeSink {
 public:
  void episode(detect::Episode&&) override {}
  std::size_t evidence_wanted(detect::Episode const&) const override { return 0; }
};

}  // namespace

Result<std::unique_ptr<detect::Plan>> measure_rules(std::vector<std::string> const& rule_paths,
                                                    std::vector<std::string> const& logs,
                                                    Content& content) {
  TRY(auto plan, load_plan(rule_paths, {}, *content.catalog));
  SourceSpec const* const spec = find_source("file");
  CHECK(spec != nullptr);
  Options options = Options::defaults(spec->options);
  options.set_list("paths", logs);
  SourceContext context;
  context.clock = &system_clock();
  SourceEntry entry;
  TRY(entry.source, spec->make("file", options, context));
  entry.decoders = content.decoders.get();
  PipelineOptions pipeline_options;
  pipeline_options.workers = 1;  // so that nobody waits for anybody while a rule is timed
  NoSink sink;
  Pipeline pipeline(*content.catalog, *plan, pipeline_options, sink, system_clock());
  TRY(pipeline.add_source(std::move(entry)));
  TRY(pipeline.run_to_end());
  for (Error const& problem : pipeline.take_problems()) {
    print_error(problem);
  }
  return plan;
}

}  // namespace vedette::app
