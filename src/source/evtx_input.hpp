// Windows event log files as text: the XML of an event per line.
#pragma once

#include "source/input.hpp"

#include <memory>

namespace vedette::source {

/// `raw`: a whole .evtx file, from its start. What is damaged is left out, counted, and told by
/// finish().
std::unique_ptr<ByteInput> evtx_as_text(std::unique_ptr<ByteInput> raw);

}  // namespace vedette::source
