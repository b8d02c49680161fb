// What every command loads first: catalogue, decoders, rules, plan.
#pragma once

#include "app/arguments.hpp"
#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "decode/decoder.hpp"
#include "detect/plan.hpp"

#include <memory>
#include <string>
#include <vector>

namespace vedette::app {

/// The shipped catalogue with decoders for one format ("auto": found per record).
struct Content {
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<decode::DecoderSet> decoders;
};
/// `decoder_paths`: files and folders with formats and templates of the user's own.
Result<Content> load_content(std::string_view format,
                             std::vector<std::string> const& decoder_paths = {});

/// Rules compiled to a plan. `rules_or_default` empty: the shipped ones. Refused rules are reported
/// on standard error (one line each, at most 20, then how many more); an error when no rule loads.
Result<std::unique_ptr<detect::Plan>> load_plan(std::vector<std::string> const& rule_paths,
                                                std::vector<std::string> const& disabled,
                                                catalog::Catalog& catalog);

/// `--timezone`: an IANA name or `+02:00`; checked.
Result<decode::DecodeOptions> decode_options(Arguments const& arguments);
/// `--from 2026-03-01`, `--to 2026-03-02T10:00:00Z`; `otherwise` when not given.
Result<Nanos> time_argument(Arguments const& arguments, std::string_view flag, Nanos otherwise);
Result<Nanos> duration_argument(Arguments const& arguments, std::string_view flag, Nanos otherwise);

}  // namespace vedette::app
