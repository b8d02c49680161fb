// How the report looks. All widths are in columns; a line is made plain first and painted last, so
// that colours never change where text stands.
#include "app/report.hpp"
#include "app/report_words.hpp"
#include "base/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::app {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kSlots = 66;
constexpr std::size_t kTopRows = 5;
constexpr std::size_t kShownGroups = 40;
constexpr std::size_t kLinesOfEvents = 3;  // single events without a key

/// How many alerts of a rule are shown with their evidence.
std::size_t alerts_with_evidence(rule::Level level) {
  return level >= rule::Level::high ? 3 : level == rule::Level::medium ? 2 : 1;
}

}  // namespace

class ReportPage {
 public:
  ReportPage(Report const& report, ReportFacts const& facts, Ledger const& ledger, TextStyle style)
      : report_(report), facts_(facts), ledger_(ledger), style_(style) {
    years_ = facts.first != kNever && to_civil(facts.first).year != to_civil(facts.last).year;
  }

  std::string take() {
    head();
    time_line();
    alerts();
    first_seen();
    informational();
    top("Top sources", report_.sources_);
    top("Top users", report_.users_);
    not_understood();
    hints();
    return std::move(out_);
  }

 private:
  using Group = Report::Group;
  using Shown = Report::Shown;
  struct RuleGroup {
    rule::RuleIndex index;
    rule::Rule const* rule;
    Group const* group;
  };
  enum class Paint : std::uint8_t { none, bold, dim };

  std::string_view ellipsis() const { return style_.unicode ? "\xE2\x80\xA6" : "..."; }
  std::string fit(std::string_view text, std::size_t columns) const {
    return printable(text, columns, ellipsis());
  }

  std::string painted(std::string_view code, std::string_view text) const {
    if (!style_.color || text.empty()) {
      return std::string(text);
    }
    return "\x1B[" + std::string(code) + "m" + std::string(text) + "\x1B[0m";
  }
  static std::string_view color_of(rule::Level level) {
    static constexpr std::array<std::string_view, kLevels> kColors{"2", "36", "33", "31", "1;31"};
    return kColors[static_cast<std::size_t>(level)];
  }

  void line(std::string_view text, Paint paint = Paint::none) {
    out_ +=
        paint == Paint::none ? std::string(text) : painted(paint == Paint::bold ? "1" : "2", text);
    out_ += '\n';
  }
  void title(std::string_view text) {
    out_ += '\n';
    line(text, Paint::bold);
  }

  std::string span(Nanos first, Nanos last) const {
    Civil const a = to_civil(first);
    Civil const b = to_civil(last);
    std::string text = stamp(a, years_);
    if (same_day(a, b)) {
      return clock_text(a) == clock_text(b) ? text : text + " - " + clock_text(b);
    }
    return text + " - " + stamp(b, years_);
  }

  void head() {
    std::string text = number_of(ledger_.events, "event");
    if (ledger_.outside > 0) {
      text = with_commas(ledger_.events - ledger_.outside) + " of " + text;
    }
    if (facts_.first != kNever && facts_.first <= facts_.last) {
      std::string const period = stamp(to_civil(facts_.first), true) + " to " +
                                 stamp(to_civil(facts_.last), true) + " UTC";
      text += (text.size() + 2 + period.size() > kWidth ? ",\n" : ", ") + period;
    }
    line(text, Paint::bold);
    if (report_.alerts_ == 0) {
      line("No alert.");
      return;
    }
    std::string counts;
    for (std::size_t i = kLevels; i-- > 0;) {
      if (report_.by_level_[i] > 0) {
        std::string_view const name = rule::level_name(static_cast<rule::Level>(i));
        counts += (counts.empty() ? "" : ", ") + with_commas(report_.by_level_[i]) + " " +
                  std::string(name);
      }
    }
    std::string_view const worst = rule::level_name(*report_.worst_);
    counts = "Alerts: " + counts + ".";
    bool const fits = worst.size() + counts.size() + 9 <= kWidth;
    out_ += "Worst: " + painted(color_of(*report_.worst_), upper_case(worst)) +
            (fits ? ". " : ".\n") + counts + '\n';
  }

  std::string cell(std::uint64_t count) const {
    static constexpr std::array<char const*, 5> kPlain{" ", ".", ":", "+", "#"};
    static constexpr std::array<char const*, 5> kBars{" ", "\xE2\x96\x82", "\xE2\x96\x84",
                                                      "\xE2\x96\x86", "\xE2\x96\x88"};
    std::size_t const step = count == 0 ? 0 : count == 1 ? 1 : count < 10 ? 2 : count < 100 ? 3 : 4;
    return style_.unicode ? kBars[step] : kPlain[step];
  }

  void time_line() {
    if (report_.timeline_.empty()) {
      return;
    }
    // No event time: alerts of arrival times only; they say where the line begins.
    Nanos const from = facts_.first == kNever ? kForever : facts_.first;
    Nanos const to = facts_.first == kNever ? kNever : facts_.last;
    auto const slots = report_.timeline_.slots(from, to, kSlots);
    title("Time line, a column is " + format_duration(slots.width));
    for (std::size_t level = kLevels; level-- > 0;) {
      if (report_.by_level_[level] == 0) {
        continue;
      }
      auto const name = rule::level_name(static_cast<rule::Level>(level));
      std::string bars;
      for (auto const& counts : slots.counts) {
        bars += cell(counts[level]);
      }
      while (bars.ends_with(' ')) {
        bars.pop_back();
      }
      out_ += pad_right(std::string(name), 13) + "|" +
              painted(color_of(static_cast<rule::Level>(level)), bars) + "\n";
    }
    Story::Page const story = report_.story_.page();
    if (std::string const row = story_marks(story, slots); !row.empty()) {
      line(pad_right("single events", 13) + "|" + row);
    }
    axis(slots);
    told(story);
  }

  void told(Story::Page const& story) {
    if (story.told.empty()) {
      return;
    }
    title("In order of time");
    for (StoryLine const& each : story_lines(story, report_.rules_, kWidth, years_, ellipsis())) {
      std::string const level(each.level ? rule::level_name(*each.level) : "");
      out_ += each.text + (each.level ? painted(color_of(*each.level), level) : level) + "\n";
      if (!each.detail.empty()) {
        line(each.detail, Paint::dim);
      }
    }
  }

  void axis(Timeline::Slots const& slots) {
    Civil const begin = to_civil(slots.begin);
    Civil const end =
        to_civil(slots.begin + static_cast<Nanos>(slots.counts.size() - 1) * slots.width);
    bool const days = slots.width >= kDay;
    auto const label = [&](Civil const& at) {
      return days ? stamp(at, years_).substr(0, years_ ? 11 : 6)
                  : stamp(at, years_).substr(0, years_ ? 17 : 12);
    };
    std::string text = "             |" + label(begin);
    std::string const last = label(end);
    std::size_t const right = 14 + slots.counts.size();
    if (slots.counts.size() > 1 && text.size() + 2 + last.size() <= right) {
      text = pad_right(std::move(text), right - last.size()) + last;
    }
    line(text, Paint::dim);
    std::string const legend = "alerts: " + cell(1) + " 1  " + cell(2) + " 2-9  " + cell(10) +
                               " 10-99  " + cell(100) + " 100 and more";
    line("              " + legend, Paint::dim);
  }

  /// Groups for which `take` holds, worst level first, then most events, then title and id.
  template <class Take>
  std::vector<RuleGroup> groups_where(Take&& take) const {
    std::vector<RuleGroup> out;
    for (auto const& [index, group] : report_.groups_) {
      if (take(index)) {
        out.push_back({index, &report_.rules_.rules[index], &group});
      }
    }
    std::sort(out.begin(), out.end(), [](RuleGroup const& a, RuleGroup const& b) {
      if (a.rule->level != b.rule->level) {
        return a.rule->level > b.rule->level;
      }
      if (a.group->events != b.group->events) {
        return a.group->events > b.group->events;
      }
      return std::tie(a.rule->title, a.rule->id) < std::tie(b.rule->title, b.rule->id);
    });
    return out;
  }

  std::string key_text(rule::Rule const& rule, Shown const& shown, std::size_t columns) const {
    std::string text;
    for (std::size_t i = 0; i < shown.key.size() && i < rule.node.group_by.size(); ++i) {
      text += (i == 0 ? "" : ", ") + rule.node.group_by[i] + " " + shown.key[i];
    }
    return fit(text, columns);
  }

  void alerts() {
    std::vector<RuleGroup> const groups = groups_where([&](rule::RuleIndex index) {
      return !report_.is_summary(index) && !report_.is_first_seen(index);
    });
    std::size_t shown = 0;
    for (RuleGroup const& each : groups) {
      if (++shown > kShownGroups) {
        title("... and " + number_of(groups.size() - kShownGroups, "rule") +
              " more with alerts; --json shows all of them");
        return;
      }
      alert_group(each);
    }
  }

  void alert_group(RuleGroup const& each) {
    Group const& group = *each.group;
    std::string const level = upper_case(rule::level_name(each.rule->level));
    bool const keyed = !each.rule->node.group_by.empty();
    std::string numbers = number_of(group.alerts, keyed ? "alert" : "event");
    if (keyed) {
      numbers += ", " + number_of(group.events, "event");
    }
    std::size_t const room = kWidth - level.size() - 2 - numbers.size() - 2;
    std::string const name = pad_right(fit(each.rule->title, room), room);
    out_ += '\n' + painted(color_of(each.rule->level), level) + "  " + painted("1", name) + "  " +
            numbers + '\n';
    if (!keyed) {
      line("  " + span(group.first, group.last));
      for (Shown const& shown : group.shown) {
        if (&shown - group.shown.data() < static_cast<std::ptrdiff_t>(kLinesOfEvents)) {
          evidence(shown);
        }
      }
      return;
    }
    std::size_t const most = alerts_with_evidence(each.rule->level);
    for (std::size_t i = 0; i < group.shown.size() && i < most; ++i) {
      one_alert(*each.rule, group.shown[i]);
    }
    others(*each.rule, group, most);
  }

  void one_alert(rule::Rule const& rule, Shown const& shown) {
    std::string right = number_of(shown.count, "event");
    for (auto const& [name, value] : shown.values) {
      right += ", " + fit(value, 12) + " " + fit(name, 16);
    }
    right += "  " + span(shown.first, shown.last);
    if (shown.open) {
      right += " (open)";
    }
    if (shown.late > 0) {
      right += " (late)";
    }
    right = fit(right, kWidth - 2);
    std::size_t const taken = columns_of(right) + 4;
    std::size_t const room = kWidth > taken ? kWidth - taken : 0;
    std::string const key = key_text(rule, shown, kWidth - 2);
    if (columns_of(key) <= room) {
      line("  " + pad_right(key, room) + "  " + right);
    } else {
      line("  " + key);
      line(pad_left(right, kWidth));
    }
    evidence(shown);
  }

  void evidence(Shown const& shown) {
    for (Report::Line const& each : shown.evidence) {
      bool const fits = columns_of(printable(each.text, kWidth)) <= kWidth - 4;
      line("    " + fit(fits ? each.text : shorten_line(each.text), kWidth - 4), Paint::dim);
    }
  }

  /// The alerts of a rule that are not shown one by one, on at most two lines.
  void others(rule::Rule const& rule, Group const& group, std::size_t told) {
    if (group.alerts <= told) {
      return;
    }
    std::vector<std::string> words;
    for (std::size_t i = told; i < group.shown.size(); ++i) {
      words.push_back(joined_key(rule, group.shown[i]) + " (" + with_commas(group.shown[i].count) +
                      ")");
    }
    std::uint64_t const rest = group.alerts - told;
    wrapped("  " + with_commas(rest) + " more: ", words, rest, 2);
  }

  std::string joined_key(rule::Rule const& rule, Shown const& shown) const {
    std::string text;
    for (std::size_t i = 0; i < shown.key.size() && i < rule.node.group_by.size(); ++i) {
      text += (i == 0 ? "" : " ") + shown.key[i];
    }
    return fit(text, 44);
  }

  /// Words after a head, on at most `lines` lines; what does not fit of `total` is counted.
  void wrapped(std::string const& head, std::vector<std::string> const& words, std::uint64_t total,
               std::size_t lines) {
    std::string text = head;
    std::size_t used = columns_of(head);
    std::size_t row = 1;
    std::uint64_t said = 0;
    for (std::string const& word : words) {
      bool const first = said == 0;
      std::uint64_t const left = total - said - 1;
      std::size_t const reserve = left == 0 ? 0 : row < lines ? 1 : 12 + with_commas(left).size();
      std::size_t const need = columns_of(word) + (first ? 0 : 2);
      if (used + need + reserve > kWidth) {
        if (row == lines || first) {
          break;
        }
        line(text + ",");
        text.assign(4, ' ');
        used = 4 + columns_of(word);
        text += word;
        ++row;
      } else {
        text += (first ? "" : ", ") + word;
        used += need;
      }
      ++said;
    }
    if (said < total) {
      text += std::string(said == 0 ? "" : ", ") + "and " + with_commas(total - said) + " more";
    }
    line(text);
  }

  void first_seen() {
    auto const groups =
        groups_where([&](rule::RuleIndex index) { return report_.is_first_seen(index); });
    if (groups.empty()) {
      return;
    }
    title("First in this input");
    for (RuleGroup const& each : groups) {
      std::string names;
      for (std::string const& name : each.rule->node.group_by) {
        names += (names.empty() ? "" : ", ") + name;
      }
      std::string const count = with_commas(each.group->alerts);
      std::size_t const room = kWidth - 2 - count.size() - 3;
      line("  " + count + "  " + fit(each.rule->title + ", by " + names, room));
      std::vector<std::string> words;
      for (Shown const& shown : each.group->shown) {
        words.push_back(joined_key(*each.rule, shown));
      }
      wrapped("    ", words, each.group->alerts, 4);
    }
  }

  void informational() {
    auto const groups = groups_where([&](rule::RuleIndex index) {
      return report_.is_summary(index) && !report_.is_first_seen(index);
    });
    if (groups.empty()) {
      return;
    }
    title("Also seen");
    for (RuleGroup const& each : groups) {
      std::string const right =
          pad_left(with_commas(each.group->events), 9) + "  " +
          pad_right(span(each.group->first, each.group->last), years_ ? 43 : 33);
      std::size_t const room = kWidth - 2 - columns_of(right);
      std::string text = "  " + pad_right(fit(each.rule->title, room), room) + right;
      text.resize(text.find_last_not_of(' ') + 1);
      line(text);
    }
  }

  void top(std::string_view name, TopList const& list) {
    std::vector<TopList::Row> const rows = list.top(kTopRows);
    if (rows.empty()) {
      return;
    }
    title(std::string(name) + (list.complete() ? "" : " (of very many)"));
    for (auto const& [value, entry] : rows) {
      std::string const level(rule::level_name(entry.worst));
      std::string const numbers =
          aligned(entry.events(), "event", 18) + aligned(entry.alerts, "alert", 16) + "  ";
      std::size_t const room = kWidth - 2 - numbers.size() - 13;
      out_ += "  " + pad_right(fit(value, room), room) + numbers +
              painted(color_of(entry.worst), level) + "\n";
    }
  }

  void not_understood() {
    auto const shapes = facts_.shapes.shapes();
    if (shapes.empty()) {
      return;
    }
    title("Not understood, by shape: " + number_of(facts_.shapes.lines(), "line"));
    std::uint64_t rest = facts_.shapes.lines();
    for (std::size_t i = 0; i < std::min(kTopRows, shapes.size()); ++i) {
      decode::ShapeCount::Shape const& shape = shapes[i];
      std::string const count = pad_left(with_commas(shape.lines), 9) + "  ";
      bool const named = !shape.program.empty() && !shape.program.starts_with('@');
      std::string const text = (named ? shape.program + ": " : std::string()) + shape.sample;
      out_ += count + fit(text, kWidth - count.size()) + "\n";
      rest -= shape.lines;
    }
    if (rest > 0) {
      out_ += pad_left(with_commas(rest), 9) + "  of other shapes\n";
    }
  }

  void hints() {
    std::vector<std::string> lines;
    if (report_.alerts_ > 0) {
      lines.emplace_back("`vedette scan --json` prints every alert with all its evidence.");
    }
    if (ledger_.unknown > 0) {
      lines.push_back(with_commas(ledger_.unknown) +
                      " of unknown type: try `vedette decode --explain`.");
    }
    if (facts_.shapes.lines() > 0) {
      lines.emplace_back(
          "`vedette decode --suggest` proposes templates for what is not understood.");
    }
    if (ledger_.late > 0) {
      lines.push_back(number_of(ledger_.late, "piece") +
                      " of evidence came too late; a greater --lateness takes them in.");
    }
    if (ledger_.future > 0) {
      lines.push_back(number_of(ledger_.future, "stamp") +
                      " in the future: check --year and --timezone.");
    }
    if (ledger_.events == 0) {
      lines.emplace_back("Nothing was read: are these log files?");
    }
    if (lines.empty()) {
      return;
    }
    out_ += '\n';
    for (std::string_view text : lines) {
      while (!text.empty()) {
        std::size_t const blank = text.size() <= kWidth ? text.size() : text.rfind(' ', kWidth);
        std::size_t const end = blank == text.npos ? kWidth : blank;
        line(text.substr(0, end), Paint::dim);
        text.remove_prefix(std::min(end + 1, text.size()));
      }
    }
  }

  Report const& report_;
  ReportFacts const& facts_;
  Ledger const& ledger_;
  TextStyle style_;
  bool years_ = false;
  std::string out_;
};

std::string Report::text(ReportFacts const& facts, Ledger const& ledger, TextStyle style) const {
  return ReportPage(*this, facts, ledger, style).take();
}

}  // namespace vedette::app
