#include "detect/waiting_nodes.hpp"

namespace vedette::detect {

using rule::Node;
using rule::NodeType;

Body& body_of(CellState& cell) {
  if (cell.body == nullptr) {
    cell.body = std::make_unique<Body>();
  }
  return *cell.body;
}

Panes& panes_of(CellState& cell) {
  Body& body = body_of(cell);
  if (body.panes == nullptr) {
    body.panes = std::make_unique<Panes>();
  }
  return *body.panes;
}

void apply_waiting(Node const& node, CellState& cell, Item const& item, EvidenceHolder holder) {
  switch (node.type) {
    case NodeType::rare:
      rare::apply(node, cell, item, holder);
      break;
    case NodeType::absence:
      absence::apply(node, cell, item, holder);
      break;
    default:
      windows::apply(node, cell, item, holder);
      break;
  }
}

void settle(Node const& node, CellState& cell, Horizon horizon, EvidenceHolder holder,
            Change& change) {
  if (cell.body == nullptr) {
    return;
  }
  switch (node.type) {
    case NodeType::rare:
      rare::settle(node, cell, horizon, holder, change);
      break;
    case NodeType::absence:
      absence::settle(node, cell, horizon, holder, change);
      break;
    default:
      windows::settle(node, cell, horizon, holder, change);
      break;
  }
}

Nanos next_settlement(Node const& node, CellState const& cell) {
  if (cell.body == nullptr) {
    return kForever;
  }
  switch (node.type) {
    case NodeType::rare:
      return rare::next(node, cell);
    case NodeType::absence:
      return absence::next(node, cell);
    default:
      return windows::next(node, cell);
  }
}

}  // namespace vedette::detect
