#include "detect/panes.hpp"

namespace vedette::detect {

void hold_evidence(Panes const& panes, EvidenceHolder holder) {
  for (Pane const& pane : panes.recent) {
    hold_evidence(pane.tally, holder);
  }
  if (panes.has_newest) {
    hold(holder, panes.newest.evidence);
  }
}

void release_evidence(Panes const& panes, EvidenceHolder holder) {
  for (Pane const& pane : panes.recent) {
    release_evidence(pane.tally, holder);
  }
  if (panes.has_newest) {
    unhold(holder, panes.newest.evidence);
  }
}

}  // namespace vedette::detect
