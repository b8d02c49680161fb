// Cells at rest: the state of a cell as a record of numbered fields (state/record.hpp) and back.
// References to evidence are written as they are; who reads a state back holds its evidence again.
#pragma once

#include "detect/cell.hpp"

#include <string>
#include <string_view>

namespace vedette::detect {

void encode_state(std::string& out, CellState const& state);
/// False when the bytes are damaged or are of another kind of node; `out` is then unspecified.
/// The timer is put into `stored_timer`.
bool decode_state(rule::Node const& node, std::string_view bytes, CellState& out);

/// CellState::last alone; false when the bytes are damaged.
bool decode_last(std::string_view bytes, Nanos& last);

void encode_panes(std::string& out, Panes const& panes);
bool decode_panes(std::string_view bytes, Panes& out);

void encode_open(std::string& out, Open const& open);
bool decode_open(std::string_view bytes, Open& out);

}  // namespace vedette::detect
