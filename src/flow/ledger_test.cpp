#include "flow/ledger.hpp"

#include "base/json.hpp"

#include <doctest/doctest.h>

#include <string>

namespace vedette {
namespace {

Ledger sample_ledger() {
  Ledger ledger;
  ledger.records = 1010;
  ledger.evented = 1000;
  ledger.blank = 7;
  ledger.dropped = 3;
  ledger.events = 1200;
  ledger.matched = 40;
  ledger.unknown = 5;
  ledger.bytes = 123456;
  ledger.no_key["rule-b"] = 2;
  return ledger;
}

TEST_CASE("ledger: balances only when every record and event is accounted for") {
  Ledger ledger = sample_ledger();
  CHECK(ledger.balances());
  CHECK(Ledger{}.balances());
  ++ledger.records;
  CHECK_FALSE(ledger.balances());
  ++ledger.pending;
  CHECK(ledger.balances());
  ledger.events = 999;  // an evented record has at least one event
  CHECK_FALSE(ledger.balances());
  ledger = sample_ledger();
  ledger.outside = 1180;  // more matched than looked at
  CHECK_FALSE(ledger.balances());
  ledger = Ledger{};
  ledger.events = 1;  // out of nothing
  CHECK_FALSE(ledger.balances());
}

TEST_CASE("ledger: sums of parts balance and lose nothing") {
  Ledger sum;
  sum += sample_ledger();
  Ledger other = sample_ledger();
  other.no_key["rule-a"] = 1;
  other.seconds = 2;
  sum += other;
  CHECK(sum.balances());
  CHECK(sum.records == 2020);
  CHECK(sum.matched == 80);
  CHECK(sum.no_key["rule-b"] == 4);
  CHECK(sum.no_key["rule-a"] == 1);
  CHECK(sum.seconds == doctest::Approx(2));
}

TEST_CASE("ledger: json has sorted keys and every count") {
  Ledger ledger = sample_ledger();
  ledger.no_key["a\"b"] = 1;
  std::string const text = ledger.json();
  auto const tree = json::parse(text);
  REQUIRE(tree);
  std::string again;
  json::append(again, *tree);
  CHECK(again == text);
  CHECK(tree->int_or("records", 0) == 1010);
  CHECK(tree->find("no_key")->int_or("a\"b", 0) == 1);
  CHECK(tree->find("seconds") == nullptr);
}

TEST_CASE("ledger: text keeps to 80 columns and leaves out what is zero") {
  Ledger ledger = sample_ledger();
  std::string text = ledger.text({{"rule-b", "Brute force"}});
  CHECK(text ==
        "read      1,010 records, 120.6 KiB\n"
        "records   1,000 evented, 3 dropped by filter, 7 blank, balances\n"
        "events    1,200 events, 40 matched, 5 of unknown type\n"
        "no key    2 for Brute force\n");
  ledger.late = ledger.future = ledger.outside = ledger.no_time = ledger.fields_over = 1'000'000;
  ++ledger.records;
  text = ledger.text();
  CHECK(text.find("DOES NOT BALANCE") != std::string::npos);
  CHECK(text.find("2 for rule-b") != std::string::npos);
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t const end = text.find('\n', begin);
    CHECK(end - begin <= 80);
    begin = end + 1;
  }
}

TEST_CASE("ledger: numbers and sizes as people read them") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1000) == "1,000");
  CHECK(with_commas(18446744073709551615ULL) == "18,446,744,073,709,551,615");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1.0 KiB");
  CHECK(format_size((1 << 20) - 1) == "1.0 MiB");
  CHECK(format_size(18446744073709551615ULL) == "16384.0 PiB");
}

}  // namespace
}  // namespace vedette
