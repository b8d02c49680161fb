#include "flow/ledger.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

namespace vedette {
namespace {

/// `singular` or `plural` with the number before it.
std::string counted_noun(std::uint64_t number, std::string_view singular, std::string_view plural) {
  return with_commas(number) + " " + std::string(number == 1 ? singular : plural);
}

/// Joins non-zero parts with commas and breaks lines before column 80.
class LedgerLine {
 public:
  explicit LedgerLine(std::string_view head) : line_(head), indent_(head.size()) {}

  void add(std::uint64_t number, std::string_view what) {
    if (number > 0) {
      add(with_commas(number) + " " + std::string(what));
    }
  }
  void add(std::string const& part) {
    std::string_view const separator = empty_ ? "" : ", ";
    if (!empty_ && line_.size() + separator.size() + part.size() > 79) {
      out_ += line_ + ",\n";
      line_.assign(indent_, ' ');
    } else {
      line_ += separator;
    }
    line_ += part;
    empty_ = false;
  }
  std::string take() { return empty_ ? std::string{} : out_ + line_ + "\n"; }

 private:
  std::string line_;
  std::string out_;
  std::size_t indent_;
  bool empty_ = true;
};

}  // namespace

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3;) {
    i -= 3;
    text.insert(i, 1, ',');
  }
  return text;
}

std::string format_size(std::uint64_t bytes) {
  static constexpr std::array<char const*, 5> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) {
    return std::to_string(bytes) + " B";
  }
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return text;
}

Ledger& Ledger::operator+=(Ledger const& other) {
  for (auto const member :
       {&Ledger::records, &Ledger::evented, &Ledger::joined, &Ledger::dropped, &Ledger::blank,
        &Ledger::pending, &Ledger::events, &Ledger::outside, &Ledger::matched, &Ledger::unknown,
        &Ledger::late, &Ledger::future, &Ledger::no_time, &Ledger::cut, &Ledger::cut_bytes,
        &Ledger::fields_over, &Ledger::bytes, &Ledger::errors}) {
    this->*member += other.*member;
  }
  for (auto const& [rule, count] : other.no_key) {
    no_key[rule] += count;
  }
  seconds = std::max(seconds, other.seconds);
  return *this;
}

bool Ledger::balances() const {
  return records == evented + joined + dropped + blank + pending && events >= evented &&
         (evented > 0 || events == 0) && outside <= events && matched <= events - outside &&
         unknown <= events;
}

std::string Ledger::text(std::map<std::string, std::string, std::less<>> const& title_of) const {
  std::string out;
  LedgerLine read("read      ");
  read.add(counted_noun(records, "record", "records"));
  read.add(format_size(bytes));
  if (seconds > 0) {
    char text[64];
    std::snprintf(text, sizeof text, "%.2f s", seconds);
    read.add(std::string(text));
    read.add(with_commas(static_cast<std::uint64_t>(static_cast<double>(events) / seconds)) +
             " events/s");
  }
  out += read.take();

  LedgerLine became("records   ");
  became.add(with_commas(evented) + " evented");
  became.add(joined, "joined");
  became.add(dropped, "dropped by filter");
  became.add(blank, "blank");
  became.add(pending, "pending");
  became.add(std::string(balances() ? "balances" : "DOES NOT BALANCE: please report this"));
  out += became.take();

  LedgerLine event_line("events    ");
  event_line.add(counted_noun(events, "event", "events"));
  event_line.add(matched, "matched");
  event_line.add(unknown, "of unknown type");
  event_line.add(outside, "outside --from and --to");
  event_line.add(no_time, "without a time");
  event_line.add(late, "late");
  event_line.add(future, "stamped in the future");
  event_line.add(fields_over, "fields past the bound");
  out += event_line.take();

  LedgerLine wrong("problems  ");
  wrong.add(errors, "not readable");
  if (cut > 0) {
    wrong.add(counted_noun(cut, "record", "records") + " cut (" + format_size(cut_bytes) +
              " left out)");
  }
  out += wrong.take();

  for (auto const& [rule, count] : no_key) {
    if (count > 0) {
      auto const title = title_of.find(rule);
      out += "no key    " + with_commas(count) + " for " +
             (title == title_of.end() ? rule : title->second) + "\n";
    }
  }
  return out;
}

std::string Ledger::json() const {
  using Entry = std::pair<std::string_view, std::uint64_t>;
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  for (auto const& [name, value] :
       {Entry{"blank", blank}, Entry{"bytes", bytes}, Entry{"cut", cut},
        Entry{"cut_bytes", cut_bytes}, Entry{"dropped", dropped}, Entry{"errors", errors},
        Entry{"evented", evented}, Entry{"events", events}, Entry{"fields_over", fields_over},
        Entry{"future", future}, Entry{"joined", joined}, Entry{"late", late},
        Entry{"matched", matched}}) {
    writer.key(name).number(value);
  }
  writer.key("no_key").begin_object();
  for (auto const& [rule, count] : no_key) {
    writer.key(rule).number(count);
  }
  writer.end_object();
  for (auto const& [name, value] : {Entry{"no_time", no_time}, Entry{"outside", outside},
                                    Entry{"pending", pending}, Entry{"records", records}}) {
    writer.key(name).number(value);
  }
  if (seconds > 0) {
    writer.key("seconds").number(seconds);
  }
  writer.key("unknown").number(unknown);
  writer.end_object();
  return out;
}

}  // namespace vedette
