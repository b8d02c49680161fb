// Rules out of any bytes. The first byte chooses: plan against reference, engine against reference,
// or the bytes as a Sigma file, which may be refused but must not do harm; what loads must make a
// plan.
#include "detect/differential.hpp"
#include "lang/language.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace vedette;

void stop_unless_empty(std::string const& difference) {
  if (!difference.empty()) {
    std::fprintf(stderr, "%s\n", difference.c_str());
    std::abort();
  }
}

std::string compile_text(std::string_view text) {
  auto const catalog = detect::generated::make_catalog();
  auto const rules = lang::compile_rules({{"fuzz.yml", std::string(text)}}, *catalog);
  if (!rules) {
    return "compile_rules fails: " + rules.error().text();
  }
  for (rule::Rule const& rule : rules->rules) {
    if ((rule.status == rule::RuleStatus::loaded) != rule.reason.empty()) {
      return "a rule that is not loaded without reason, or one that is with: " + rule.reason;
    }
  }
  auto const plan = detect::Plan::compile(*rules, *catalog);
  return plan ? "" : "loaded rules make no plan: " + plan.error().text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  std::string_view const rest(reinterpret_cast<char const*>(data) + 1, size - 1);
  detect::generated::Choices choices(rest);
  switch (data[0] % 3) {
    case 0:
      stop_unless_empty(detect::generated::plan_difference(choices));
      break;
    case 1:
      stop_unless_empty(detect::generated::engine_difference(choices));
      break;
    default:
      stop_unless_empty(compile_text(rest));
      break;
  }
  return 0;
}
