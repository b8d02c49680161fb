// For all fuzz targets: what must hold, or the input is kept as a finding.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace vedette {

inline void hold(bool holds, char const* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

}  // namespace vedette
