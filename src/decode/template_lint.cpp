// What is to be said about templates beyond "they load".
#include "decode/template_set.hpp"

#include <algorithm>
#include <map>

namespace vedette::decode {
namespace tmpl {
namespace {

Error at(Template const& where, std::string message, std::string hint = {}) {
  return Error{std::move(message), std::move(hint), where.file, where.line};
}

bool takes_anything(Capture const& capture) {
  return capture.type == CaptureType::text || capture.type == CaptureType::kv;
}

/// A text before an address and another text after it: whoever chooses the first text can write an
/// address of his own and push the true one into the second.
bool forgeable(Variant const& variant, std::vector<Emit> const& emits, std::uint32_t first_emit) {
  bool text_before = false;
  bool address = false;
  for (std::size_t i = 0; i < variant.captures.size(); ++i) {
    if (takes_anything(variant.captures[i])) {
      if (address) {
        return true;
      }
      text_before = true;
    } else if (text_before && emits[first_emit + i].as == Emit::As::address) {
      address = true;
    }
  }
  return false;
}

std::string shape_of(Variant const& variant) {
  std::string out = variant.prefix;
  for (Capture const& capture : variant.captures) {
    out += '\0';
    out += static_cast<char>('0' + static_cast<int>(capture.type));
    out += capture.literal;
  }
  return out;
}

void lint_shapes(TemplateSet::Impl const& set, std::vector<Error>& out) {
  for (std::uint16_t program = 0; program < set.programs.size(); ++program) {
    std::map<std::string, std::uint32_t> shapes;
    for (std::uint32_t v = 0; v < set.variants.size(); ++v) {
      Template const& source = set.templates[set.variants[v].source];
      auto const& programs = source.programs;
      if (set.variants[v].shortened ||
          std::find(programs.begin(), programs.end(), program) == programs.end()) {
        continue;
      }
      auto const [known, fresh] = shapes.emplace(shape_of(set.variants[v]), v);
      if (fresh) {
        continue;
      }
      Template const& winner = set.templates[set.variants[known->second].source];
      if (&winner != &source) {
        out.push_back(at(source, "never wins: " + winner.file + ":" + std::to_string(winner.line) +
                                     " has the same form"));
      }
    }
  }
}

}  // namespace
}  // namespace tmpl

std::vector<Error> TemplateSet::check_examples() const {
  std::vector<Error> out;
  for (std::size_t t = 0; t < impl_->templates.size(); ++t) {
    tmpl::Template const& own = impl_->templates[t];
    for (std::string const& example : own.examples) {
      for (std::uint16_t const program : own.programs) {
        std::uint32_t const found = impl_->find(ProgramId{program}, example);
        if (found == tmpl::kNone) {
          out.push_back(tmpl::at(own, "the template does not take its example '" + example + "'"));
          break;
        }
        tmpl::Template const& winner = impl_->templates[impl_->infos[found].source];
        if (&winner != &own) {
          out.push_back(tmpl::at(own, "the example '" + example + "' is taken by " + winner.file +
                                          ":" + std::to_string(winner.line)));
          break;
        }
      }
    }
  }
  return out;
}

std::vector<Error> TemplateSet::lint() const {
  std::vector<Error> out;
  std::vector<bool> begins(impl_->templates.size()), forged(impl_->templates.size());
  for (std::size_t v = 0; v < impl_->variants.size(); ++v) {
    tmpl::Variant const& variant = impl_->variants[v];
    begins[variant.source] = begins[variant.source] || variant.prefix.empty();
    forged[variant.source] =
        forged[variant.source] || tmpl::forgeable(variant, impl_->emits, impl_->infos[v].emits);
  }
  for (std::size_t t = 0; t < impl_->templates.size(); ++t) {
    if (begins[t]) {
      out.push_back(tmpl::at(impl_->templates[t], "begins with a capture",
                             "it is tried on every line of its programs; begin with a literal"));
    }
    if (forged[t]) {
      out.push_back(tmpl::at(impl_->templates[t],
                             "an address stands between two texts, so the first can forge it",
                             "make what follows the address word, int or a literal"));
    }
  }
  tmpl::lint_shapes(*impl_, out);
  return out;
}

}  // namespace vedette::decode
