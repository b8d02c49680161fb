#include "event/field_table.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace vedette {

TEST_CASE("field table: names, ids, types") {
  FieldTable table;
  FieldId const ip = table.declare("src_ip", FieldType::ip);
  CHECK_EQ(static_cast<int>(ip), 0);
  FieldId const user = table.intern("user");
  CHECK_EQ(static_cast<int>(user), 1);
  CHECK_EQ(static_cast<int>(table.intern("src_ip")), 0);
  CHECK_EQ(table.name(user), "user");
  CHECK_EQ(table.type(ip) == FieldType::ip, true);
  CHECK_EQ(table.type(user) == FieldType::text, true);
  CHECK_FALSE(table.find("nobody").has_value());
  CHECK_EQ(static_cast<int>(table.find("user").value()), 1);
  CHECK_EQ(table.size(), 2);
  CHECK_EQ(static_cast<int>(table.intern("")), 2);
  CHECK_EQ(table.name(table.intern("")), "");
  std::string const strange("a\0b\xff", 4);
  CHECK_EQ(table.name(table.intern(strange)), strange);
}

TEST_CASE("field table: the cache gives the table's ids") {
  FieldTable table;
  FieldCache cache(table);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20'000; ++i) {  // more names than slots
      std::string const name = "field" + std::to_string(i);
      REQUIRE_EQ(static_cast<int>(cache.intern(name)), i);
    }
  }
  CHECK_EQ(static_cast<int>(cache.intern("")), 20'000);
  CHECK_EQ(static_cast<int>(cache.intern("")), 20'000);
  CHECK_EQ(table.size(), 20'001);
}

TEST_CASE("field table: hostile names are bounded in number and size") {
  FieldTable table;
  FieldCache cache(table);
  table.declare("first", FieldType::word);
  for (int i = 0; i < 70'000; ++i) {
    cache.intern("n" + std::to_string(i));
  }
  CHECK_EQ(table.size(), 60'000);
  CHECK_EQ(cache.intern("one more") == kUnlisted, true);
  CHECK_EQ(cache.intern("one more") == kUnlisted, true);
  CHECK_EQ(static_cast<int>(cache.intern("first")), 0);
  CHECK_EQ(static_cast<int>(cache.intern("n5")), 6);

  FieldTable other;
  CHECK_EQ(other.intern(std::string(1'000'000, 'x')) == kUnlisted, true);
  std::size_t bytes = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string const name = std::to_string(i) + std::string(1000, 'y');
    bytes += other.intern(name) == kUnlisted ? 0 : name.size();
  }
  CHECK_LE(bytes, 8 << 20);
  CHECK_GT(bytes, 4 << 20);
}

TEST_CASE("field table: many threads agree") {
  FieldTable table;
  std::vector<std::vector<FieldId>> seen(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < seen.size(); ++t) {
    threads.emplace_back([&table, &mine = seen[t], t] {
      FieldCache cache(table);
      for (std::size_t i = 0; i < 5'000; ++i) {
        std::string const name = "f" + std::to_string((i * (t + 1)) % 5'000);
        FieldId const id = cache.intern(name);
        if (table.name(id) != name) {
          return;
        }
      }
      for (std::size_t i = 0; i < 5'000; ++i) {
        mine.push_back(cache.intern("f" + std::to_string(i)));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK_EQ(table.size(), 5'000);
  for (auto const& ids : seen) {
    REQUIRE_EQ(ids.size(), 5'000);
    CHECK_EQ(ids == seen[0], true);
  }
}

}  // namespace vedette
