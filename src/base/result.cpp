#include "base/result.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace vedette {

std::string Error::text() const {
  std::string out;
  if (!file.empty()) {
    out += file;
    if (line > 0) {
      out += ':';
      out += std::to_string(line);
    }
    out += ": ";
  }
  out += message;
  if (!hint.empty()) {
    out += "; ";
    out += hint;
  }
  return out;
}

std::unexpected<Error> fail_errno(std::string const& what, int error_number, std::string hint) {
  return fail(what + ": " + std::strerror(error_number), std::move(hint));
}

void check_failed(char const* condition, char const* file, int line) {
  std::fprintf(stderr, "vedette: bug at %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace vedette
