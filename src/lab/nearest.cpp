#include "lab/nearest.hpp"

#include <algorithm>

namespace vedette::lab {
namespace {

using rule::Expr;
using Changes = std::vector<Change>;

void add(Changes& out, Changes const& more) {
  for (Change const& change : more) {
    bool const known = std::any_of(out.begin(), out.end(), [&](Change const& other) {
      return other.atom == change.atom && other.wanted == change.wanted;
    });
    if (!known) {
      out.push_back(change);
    }
  }
}

}  // namespace

std::optional<Changes> nearest_change(Expr const& condition, bool wanted,
                                      std::function<bool(std::uint32_t atom)> const& holds) {
  switch (condition.kind) {
    case Expr::Kind::atom:
      return holds(condition.atom) == wanted ? Changes{} : Changes{{condition.atom, wanted}};
    case Expr::Kind::negate:
      return nearest_change(condition.children.front(), !wanted, holds);
    case Expr::Kind::always:
    case Expr::Kind::never:
      return (condition.kind == Expr::Kind::always) == wanted ? std::optional(Changes{})
                                                              : std::nullopt;
    case Expr::Kind::all:
    case Expr::Kind::any:
      break;
  }
  // All of the children have to be so, or one of them.
  bool const each = (condition.kind == Expr::Kind::all) == wanted;
  std::optional<Changes> out;
  if (each) {
    out.emplace();
  }
  for (Expr const& child : condition.children) {
    auto part = nearest_change(child, wanted, holds);
    if (each && !part) {
      return std::nullopt;
    }
    if (each) {
      add(*out, *part);
    } else if (part && (!out || part->size() < out->size())) {
      out = std::move(part);
    }
  }
  return out;
}

}  // namespace vedette::lab
