#include "app/rule_scan.hpp"

#include "app/pipeline.hpp"
#include "app/text_source.hpp"

namespace vedette::app {
namespace {

constexpr Nanos kTestNow = days_from_civil(2027, 1, 1) * kDay;

class SummarySink final : public detect::EpisodeSink {
 public:
  explicit SummarySink(detect::Plan const& plan) : plan_(plan) {}
  void episode(detect::Episode&& episode) override {
    rule::Rule const& rule = plan_.rule(episode.rule);
    lab::AlertSummary summary;
    summary.rule_id = rule.id;
    summary.title = rule.title;
    summary.count = episode.count;
    for (std::size_t i = 0; i < rule.node.group_by.size() && i < episode.key.size(); ++i) {
      summary.key[rule.node.group_by[i]] = episode.key[i];
    }
    found_.push_back(std::move(summary));
  }
  std::size_t evidence_wanted(detect::Episode const&) const override { return 0; }
  std::vector<lab::AlertSummary> take() { return std::move(found_); }

 private:
  detect::Plan const& plan_;
  std::vector<lab::AlertSummary> found_;
};

Result<std::vector<lab::AlertSummary>> scan_text(Content& content,
                                                 std::span<lang::RuleFile const> files,
                                                 std::string const& input, int year) {
  TRY(rule::RuleSet rules,
      lang::compile_rules(std::vector<lang::RuleFile>(files.begin(), files.end()),
                          *content.catalog));
  for (rule::Rule const& rule : rules.rules) {
    if (rule.status == rule::RuleStatus::refused) {
      return fail_at(rule.path, rule.reason_line,
                     "rule '" + rule.title + "' is refused: " + rule.reason);
    }
  }
  TRY(auto const plan, detect::Plan::compile(std::move(rules), *content.catalog));
  SummarySink sink(*plan);
  PipelineOptions options;
  options.workers = 1;
  ManualClock const clock(kTestNow);
  Pipeline pipeline(*content.catalog, *plan, options, sink, clock);
  SourceEntry entry;
  entry.source = make_text_source(input, kTestNow);
  entry.decoders = content.decoders.get();
  entry.year = year;
  TRY(pipeline.add_source(std::move(entry)));
  TRY(pipeline.run_to_end());
  return sink.take();
}

}  // namespace

lab::ScanText text_scanner(Content& content) {
  return [&content](std::span<lang::RuleFile const> rules, std::string const& input, int year) {
    return scan_text(content, rules, input, year);
  };
}

}  // namespace vedette::app
