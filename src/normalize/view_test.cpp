#include "normalize/view.hpp"

#include "base/json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace vedette::normalize::view_test {

namespace {

struct ViewFixture {
  std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::embedded().value();
  Batch batch;

  struct Given {
    std::string_view name, value;
    Kind kind = Kind::text;
  };
  std::string shown(std::string_view view, std::string_view type, std::vector<Given> const& given) {
    auto const loaded = View::load(view, catalog::embedded_content("views/"), *catalog);
    REQUIRE(loaded.has_value());
    batch.events.clear();
    batch.fields.clear();
    Event event;
    event.type = catalog->find_type(type)->id;
    event.time = 1'767'225'600 * kSecond + 5 * kMillisecond;
    event.raw = "raw \"text\"";
    event.raw_size = 10;
    for (Given const& one : given) {
      batch.fields.push_back({one.value.data(), static_cast<std::uint32_t>(one.value.size()),
                              catalog->fields().intern(one.name), one.kind, false});
    }
    event.field_count = static_cast<std::uint16_t>(given.size());
    batch.events.push_back(event);
    std::string out;
    (*loaded)->append(out, batch, batch.events[0], "log");
    CHECK_MESSAGE(json::parse(out).has_value(), out);
    return out;
  }
};

}  // namespace

TEST_CASE("view: ECS") {
  ViewFixture given;
  std::string const out = given.shown("ecs", "linux/sshd",
                                      {{"src_ip", "192.0.2.1"},
                                       {"src_port", "22"},
                                       {"user", "bob"},
                                       {"action", "login"},
                                       {"outcome", "failure"},
                                       {"my.own", "x"},
                                       {"number", "5", Kind::number}});
  CAPTURE(out);
  CHECK(out.contains(R"("@timestamp":"2026-01-01T00:00:00.005Z")"));
  CHECK(out.contains(R"("source":{"ip":"192.0.2.1","port":22})"));
  CHECK(out.contains(R"("category":["authentication"])"));
  CHECK(out.contains(R"("original":"raw \"text\"")"));
  CHECK(out.contains(R"("outcome":"failure")"));
  CHECK(out.contains(R"("labels":{"my_own":"x","number":"5"})"));
  CHECK(out.contains(R"("dataset":"linux.sshd")"));
  // What is no number or no plain value is a label.
  CHECK(given.shown("ecs", "web/access", {{"http_status", "abc"}, {"url", "{}", Kind::record}})
            .contains(R"("labels":{"http_status":"abc","url":"{}"})"));
  // Several values are a list.
  CHECK(given.shown("ecs", "linux/sshd", {{"user", "a"}, {"user", "b"}, {"user", "a"}})
            .contains(R"("user":{"name":["a","b"]})"));
  CHECK(given.shown("ecs", "kubernetes/audit", {{"src_ip", R"(["192.0.2.1","::1"])", Kind::list}})
            .contains(R"("source":{"ip":["192.0.2.1","::1"]})"));
}

TEST_CASE("view: OCSF") {
  ViewFixture given;
  std::vector<ViewFixture::Given> const login = {{"src_ip", "192.0.2.1"}, {"user", "bob"},
                                                 {"action", "login"},     {"outcome", "failure"},
                                                 {"program", "sshd"},     {"x", "1"}};
  std::string const out = given.shown("ocsf", "linux/sshd", login);
  CAPTURE(out);
  CHECK(out.contains(R"("class_uid":3002)"));
  CHECK(out.contains(R"("type_uid":300201)"));
  CHECK(out.contains(R"("time":1767225600005)"));
  CHECK(out.contains(R"("status_id":2)"));
  CHECK(out.contains(R"("user":{"name":"bob"})"));
  CHECK(out.contains(R"("service":{"name":"sshd"})"));
  CHECK(out.contains(R"("unmapped":{"action":"login","outcome":"failure","x":"1"})"));
  // Without what the class needs it is a base event, and everything is still there.
  std::string const base = given.shown("ocsf", "linux/sshd", {{"action", "login"}});
  CHECK(base.contains(R"("class_uid":0)"));
  CHECK(base.contains(R"("type_uid":0)"));
  CHECK(given
            .shown("ocsf", "windows/sysmon",
                   {{"action", "process_start"},
                    {"user", "b"},
                    {"host", "h"},
                    {"pid", "7"},
                    {"process_path", R"(C:\a b\c.exe)"}})
            .contains(R"("process":{"name":"c.exe","pid":7})"));
  CHECK(given
            .shown("ocsf", "aws/cloudtrail",
                   {{"action", "api_call"},
                    {"user", "b"},
                    {"eventName", "GetObject"},
                    {"src_ip", R"(["192.0.2.1","::1"])", Kind::list}})
            .contains(R"("src_endpoint":{"ip":"192.0.2.1"})"));
}

TEST_CASE("view: strict, with file and line") {
  auto const catalog = catalog::Catalog::embedded().value();
  auto const error = [&](std::string const& text) {
    auto const loaded = View::load("x", {{"views/x.yaml", text}}, *catalog);
    return loaded ? "" : loaded.error().text();
  };
  CHECK(error("view: y").starts_with("there is no view 'x'"));
  CHECK(error("view: x\nfeilds: {}").starts_with("views/x.yaml:"));
  CHECK(error("view: x\nfields: [a]").starts_with("views/x.yaml:"));
  CHECK(error("view: x\nfields: {user: a|b}").starts_with("views/x.yaml:"));
  CHECK(error("view: x\nalways: a").starts_with("views/x.yaml:"));
  CHECK(error("view: x\nkinds:\n  - {tilte: a}").starts_with("views/x.yaml:3"));
  CHECK(error("view: x").empty());
}

}  // namespace vedette::normalize::view_test
