// The rule languages of lang.def.
#include "lang/language.hpp"

#define VEDETTE_LANG(name)        \
  namespace vedette::lang::name { \
  LanguageSpec spec();            \
  }
#include "lang/lang.def"
#undef VEDETTE_LANG

namespace vedette::lang {

std::span<LanguageSpec const> languages() {
#define VEDETTE_LANG(name) name::spec(),
  static LanguageSpec const all[] = {
#include "lang/lang.def"
  };
#undef VEDETTE_LANG
  return all;
}

}  // namespace vedette::lang
