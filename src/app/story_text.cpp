#include "app/report_words.hpp"
#include "app/story.hpp"
#include "base/terminal_text.hpp"
#include "flow/ledger.hpp"

#include <algorithm>

namespace vedette::app {

std::string story_marks(Story::Page const& page, Timeline::Slots const& slots) {
  std::string row(slots.counts.size(), ' ');
  for (Story::Told const& each : page.told) {
    if (each.change && each.time >= slots.begin && !row.empty()) {
      auto const slot = static_cast<std::size_t>((each.time - slots.begin) / slots.width);
      char& at = row[std::min(slot, row.size() - 1)];
      at = at == ' ' ? static_cast<char>('0' + each.mark) : '*';
    }
  }
  row.resize(row.find_last_not_of(' ') + 1);
  return row;
}

std::vector<StoryLine> story_lines(Story::Page const& page, rule::RuleSet const& rules,
                                   std::size_t columns, bool years, std::string_view ellipsis) {
  std::vector<StoryLine> out;
  if (page.told.empty()) {
    return out;
  }
  bool const one_day = same_day(to_civil(page.told.front().time), to_civil(page.told.back().time));
  for (Story::Told const& each : page.told) {
    rule::Rule const& rule = rules.rules[each.rule];
    Civil const at = to_civil(each.time);
    std::string text = "  " + (one_day ? clock_text(at) : stamp(at, years)) + "  " +
                       (each.change ? std::to_string(each.mark) : "-") + "  ";
    std::size_t const indent = text.size();
    std::size_t const room = columns - indent - 2 - rule::level_name(rule.level).size();
    std::string const title =
        rule.title + (!each.change      ? ": begins"
                      : each.times == 1 ? ""
                                        : ", " + with_commas(each.times) + " times");
    text += pad_right(printable(title, room, ellipsis), room);
    std::string detail = each.text;
    if (each.after > 0) {
      detail = format_duration(each.since - each.since % kSecond) + " after " +
               std::to_string(each.after) + (detail.empty() ? "" : ", ") + detail;
    }
    if (!detail.empty()) {
      detail = std::string(indent, ' ') + printable(detail, columns - indent, ellipsis);
    }
    out.push_back({std::move(text) + "  ", rule.level, std::move(detail)});
  }
  std::string more;
  if (page.more_changes > 0) {
    more = number_of(page.more_changes, "more single event");
  }
  if (page.more_attacks > 0) {
    more += (more.empty() ? "" : "; ") + std::string("attacks with ") +
            number_of(page.more_attacks, "other key") + " begin";
  }
  if (!more.empty()) {
    out.push_back({printable("  ... and " + more, columns, ellipsis), std::nullopt, ""});
  }
  return out;
}

}  // namespace vedette::app
