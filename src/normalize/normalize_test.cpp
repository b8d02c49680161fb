#include "normalize/normalize.hpp"

#include "normalize/event_time.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace vedette::normalize::normalize_test {

namespace {

constexpr std::string_view kFields = R"(
- {name: src_ip, type: ip, doc: d}
- {name: src_port, type: int, doc: d}
- {name: user, type: text, doc: d}
- {name: target_user, type: text, doc: d}
- {name: outcome, type: word, values: [success, failure, unknown], doc: d}
)";
constexpr std::string_view kTypes = R"(
- type: test/app
  title: App
  detect: {kind: [app, "7"]}
  time: [when, "@timestamp"]
  map:
    addr: src_ip
    addr2: src_ip
    port: src_port
    who: [user, target_user]
    user: user
    result: outcome
- type: test/words
  title: Words that say more than one thing
  map: {how: outcome}
  words:
    verdict:
      DENY: {outcome: failure, user: denied}
      allow: {outcome: success}
      "*": {outcome: unknown}
    mode: {deny: {outcome: success, target_user: m}}
  set: {user: nobody}
- type: test/app-login
  title: Logins of the app
  detect: [{kind: app, login: "*"}, {app_login: "*"}]
- type: test/list
  title: Alternatives, patterns, objects, constants under conditions
  detect:
    - {Product: "acme*", Inner.*: "*"}
    - {code: ["*-x", "*mid*"]}
  set:
    - {when: {code: "1"}, outcome: success, map: {Other: user}}
    - {when: {code: ["2*"]}, outcome: failure}
    - {target_user: nobody}
  map: {Who: user}
- type: test/same
  title: Like another
  detect: {same: "*"}
  like: test/list
- type: test/brought
  title: Only brings others
  detect: {brought: "*", by: "*", way: "*"}
  envelope: true
  map: {carrier: user}
- type: test/other
  title: Conditions on common names are on originals
  detect: {user: "*", kind: other}
  map: {user: target_user}
)";

constexpr std::string_view kShapes = R"(
- shape: deep
  detect: {top.kind: "*"}
  names: {top.kind: kind, top.at: when}
  strip: [top.data., top.*.sub.]
  strip_end: [".#text"]
- shape: small
  detect: {low.kind: "*"}
  strip: [low.]
  capital: true
)";

/// Events made by hand, as the JSON decoder makes them.
struct NormalizeFixture {
  std::unique_ptr<catalog::Catalog> catalog;
  Batch batch;
  std::unique_ptr<normalize::NormalizeContext> context;

  NormalizeFixture() {
    auto loaded = catalog::Catalog::load({{"fields.yaml", std::string(kFields)},
                                          {"types/test.yaml", std::string(kTypes)},
                                          {"shapes/test.yaml", std::string(kShapes)}});
    REQUIRE_MESSAGE(loaded.has_value(), loaded.error().text());
    catalog = std::move(*loaded);
    context = std::make_unique<normalize::NormalizeContext>(*catalog);
  }

  struct Given {
    std::string_view name, value;
    Kind kind = Kind::text;
    bool escaped = false;
  };
  void add(std::vector<Given> const& given) {
    Event event;
    event.time = event.arrival = 42;
    event.time_from_arrival = true;
    event.first_field = static_cast<std::uint32_t>(batch.fields.size());
    for (Given const& one : given) {
      batch.fields.push_back({one.value.data(), static_cast<std::uint32_t>(one.value.size()),
                              catalog->fields().intern(one.name), one.kind, one.escaped});
    }
    event.field_count = static_cast<std::uint16_t>(given.size());
    batch.events.push_back(event);
  }
  /// The last event is of this type already, as decoders of formats with one type have it.
  void make(std::string_view type) {
    batch.events.back().by_map = true;
    batch.events.back().type = catalog->find_type(type)->id;
  }
  void run() { normalize::normalize(batch, *catalog, *context); }

  std::string shown(std::size_t index) {
    Event const& event = batch.events[index];
    std::string out = catalog->type(event.type).name;
    for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
      out +=
          "|" + std::string(catalog->fields().name(field->id)) + "=" + std::string(field->view());
    }
    return out;
  }
  std::string one(std::vector<Given> const& given) {
    batch.events.clear();
    batch.fields.clear();
    add(given);
    run();
    return shown(0);
  }
};

}  // namespace

TEST_CASE("normalize: type by conditions, most conditions win") {
  NormalizeFixture f;
  CHECK(f.one({{"kind", "app"}}) == "test/app|kind=app");
  CHECK(f.one({{"kind", "7", Kind::number}}) == "test/app|kind=7");
  CHECK(f.one({{"login", ""}, {"kind", "app"}}) == "test/app-login|login=|kind=app");
  CHECK(f.one({{"login", "x"}, {"kind", "7"}}) == "test/app|login=x|kind=7");
  CHECK(f.one({{"kind", "App"}}) == "unknown|kind=App");
  CHECK(f.one({{"login", "x"}}) == "unknown|login=x");
  CHECK(f.one({{"kind", "\\u0061pp", Kind::text, true}}) == "test/app|kind=app");
  // The same field twice: either value counts.
  CHECK(f.one({{"kind", "x"}, {"kind", "app"}}) == "test/app|kind=x|kind=app");
}

TEST_CASE("normalize: common fields come beside the originals, the first usable one wins") {
  NormalizeFixture f;
  CHECK(f.one({{"addr", "192.0.2.1"}, {"kind", "app"}}) ==
        "test/app|addr=192.0.2.1|kind=app|src_ip=192.0.2.1");
  CHECK(f.one({{"addr2", "192.0.2.2"}, {"addr", "192.0.2.1"}, {"kind", "app"}}) ==
        "test/app|addr2=192.0.2.2|addr=192.0.2.1|kind=app|src_ip=192.0.2.1");
  CHECK(f.one({{"addr2", "192.0.2.2"}, {"addr", "-"}, {"kind", "app"}}) ==
        "test/app|addr2=192.0.2.2|addr=-|kind=app|src_ip=192.0.2.2");
  CHECK(f.one({{"kind", "app"}, {"who", "root"}}) ==
        "test/app|kind=app|who=root|user=root|target_user=root");
  // All values of the winner.
  CHECK(f.one({{"kind", "app"}, {"who", "a"}, {"who", "b"}}) ==
        "test/app|kind=app|who=a|who=b|user=a|target_user=a|user=b|target_user=b");
}

TEST_CASE("normalize: of an endpoint a field takes its part") {
  NormalizeFixture f;
  CHECK(f.one({{"kind", "app"}, {"addr", "1.2.3.4:80"}, {"port", "[2001:db8::1]:443"}}) ==
        "test/app|kind=app|addr=1.2.3.4:80|port=[2001:db8::1]:443|src_ip=1.2.3.4|src_port=443");
  CHECK(f.one({{"kind", "app"}, {"addr", "[2001:db8::1]:443"}}) ==
        "test/app|kind=app|addr=[2001:db8::1]:443|src_ip=2001:db8::1");
  CHECK(f.one({{"kind", "app"}, {"addr", "2001:db8::1"}}) ==
        "test/app|kind=app|addr=2001:db8::1|src_ip=2001:db8::1");
}

TEST_CASE("normalize: values that do not fit a common field stay originals only") {
  NormalizeFixture f;
  for (auto const& [name, value, kind] : {std::tuple{"addr", "gateway", Kind::text},
                                          {"addr", "1.2.3.4:x", Kind::text},
                                          {"addr", "1.2.3.4:65536", Kind::text},
                                          {"addr", "[::1]:", Kind::text},
                                          {"addr", "[gateway]:80", Kind::text},
                                          {"port", "gateway:80", Kind::text},
                                          {"addr", "", Kind::text},
                                          {"addr", "null", Kind::null},
                                          {"port", "0x50", Kind::text},
                                          {"port", "1.5", Kind::number},
                                          {"port", "[1]", Kind::list},
                                          {"addr", "[]", Kind::list},
                                          {"addr", "[\"1.2.3.4\",\"x\"]", Kind::list},
                                          {"addr", "{}", Kind::record},
                                          {"who", "", Kind::text},
                                          {"who", "-", Kind::text},
                                          {"who", "null", Kind::null},
                                          {"result", "granted", Kind::text},
                                          {"result", "[\"success\"]", Kind::list}}) {
    CAPTURE(name);
    CAPTURE(value);
    CHECK(f.one({{"kind", "app"}, {name, value, kind}}) ==
          "test/app|kind=app|" + std::string(name) + "=" + value);
  }
  CHECK(f.one({{"kind", "app"}, {"result", "success"}, {"port", "80"}}) ==
        "test/app|kind=app|result=success|port=80|outcome=success|src_port=80");
  CHECK(f.one({{"kind", "app"}, {"addr", "[\"1.2.3.4\",\"::1\"]", Kind::list}}) ==
        "test/app|kind=app|addr=[\"1.2.3.4\",\"::1\"]|src_ip=[\"1.2.3.4\",\"::1\"]");
}

TEST_CASE("normalize: an original of a common name becomes it only where the map says so") {
  NormalizeFixture f;
  CHECK(f.one({{"kind", "app"}, {"original.user", "eve"}}) == "test/app|kind=app|user=eve");
  CHECK(f.one({{"original.user", "eve"}, {"kind", "app"}, {"who", "root"}}) ==
        "test/app|original.user=eve|kind=app|who=root|user=root|target_user=root");
  CHECK(f.one({{"kind", "app"}, {"original.outcome", "success"}}) ==
        "test/app|kind=app|original.outcome=success");
  CHECK(f.one({{"kind", "x"}, {"original.user", "eve"}}) == "unknown|kind=x|original.user=eve");
  CHECK(f.one({{"kind", "other"}, {"original.user", "eve"}}) ==
        "test/other|kind=other|original.user=eve|target_user=eve");
}

TEST_CASE("normalize: time of the type, else of the usual names, else arrival") {
  NormalizeFixture f;
  auto const time = [&](std::vector<NormalizeFixture::Given> const& given) {
    f.one(given);
    Event const& event = f.batch.events[0];
    return event.time_from_arrival ? "arrival" : format_time(event.time);
  };
  CHECK(time({{"kind", "app"},
              {"@timestamp", "2026-01-01T00:00:00Z"},
              {"when", "2026-01-02T00:00:00Z"}}) == "2026-01-02T00:00:00Z");
  CHECK(time({{"kind", "app"}, {"@timestamp", "2026-01-01T00:00:00Z"}, {"when", "soon"}}) ==
        "2026-01-01T00:00:00Z");
  CHECK(time({{"kind", "app"}, {"ts", "1700000000.25", Kind::number}}) ==
        "2023-11-14T22:13:20.250Z");
  CHECK(time({{"when", "2026-01-02T00:00:00Z"}}) == "arrival");
  CHECK(time({{"time", "2026-01-02T00:00:00Z"}}) == "2026-01-02T00:00:00Z");
  CHECK(time({{"time", "\\/Date(1700000000000)\\/", Kind::text, true}}) == "2023-11-14T22:13:20Z");
  CHECK(time({{"time", "true", Kind::boolean}}) == "arrival");
  CHECK(time({{"time", "[1700000000]", Kind::list}}) == "arrival");
  f.context->use_zone("+02:00");
  CHECK(time({{"time", "2026-01-02 12:00:00"}}) == "2026-01-02T10:00:00Z");
  CHECK(time({{"time", "2026-01-02 12:00:00+0100"}}) == "2026-01-02T11:00:00Z");
}

TEST_CASE("normalize: others pass unchanged, among them") {
  NormalizeFixture f;
  f.add({{"kind", "app"}, {"addr", "192.0.2.1"}});
  f.add({{"kind", "app"}, {"who", "x"}});
  f.batch.events[1].type = f.catalog->find_type("test/other")->id;
  f.add({});
  f.add({{"kind", "app"}, {"who", "y"}});
  f.run();
  CHECK(f.shown(0) == "test/app|kind=app|addr=192.0.2.1|src_ip=192.0.2.1");
  CHECK(f.shown(1) == "test/other|kind=app|who=x");
  CHECK(f.batch.events[1].time_from_arrival);
  CHECK(f.shown(2) == "unknown");
  CHECK(f.shown(3) == "test/app|kind=app|who=y|user=y|target_user=y");
  auto const before = f.batch.fields.size();
  f.run();  // typed events are left alone
  CHECK(f.batch.fields.size() == before);
}

TEST_CASE("normalize: unlisted names are no fields of ours") {
  NormalizeFixture f;
  f.add({{"kind", "app"}});
  f.batch.fields.push_back({"src_ip", 6, kUnlisted, Kind::text, false});
  f.batch.fields.push_back({"192.0.2.1", 9, kUnlisted, Kind::text, false});
  f.batch.events[0].field_count = 3;
  f.run();
  CHECK(f.batch.events[0].field_count == 3);
  CHECK(f.batch.fields[1].id == kUnlisted);
}

TEST_CASE("event time: the forms it takes") {
  Timezone const utc;
  auto const zone = Timezone::load("-03:00");
  REQUIRE(zone.has_value());
  auto const read = [&](std::string_view text) {
    auto const time = normalize::parse_event_time(text, utc);
    return time ? format_time(*time) : "none";
  };
  CHECK(read("2026-03-27T13:06:56.123456Z") == "2026-03-27T13:06:56.123456Z");
  CHECK(read("2026-03-27 13:06:56") == "2026-03-27T13:06:56Z");
  CHECK(read("2026-03-27T13:06:56+02:00") == "2026-03-27T11:06:56Z");
  CHECK(normalize::parse_event_time("2026-03-27 13:06:56", *zone) ==
        parse_iso_time("2026-03-27T16:06:56Z"));
  CHECK(normalize::parse_event_time("2026-03-27 13:06:56+00:00", *zone) ==
        parse_iso_time("2026-03-27T13:06:56Z"));
  CHECK(normalize::parse_event_time("1700000000", *zone) == 1'700'000'000 * kSecond);
  CHECK(read("1700000000") == "2023-11-14T22:13:20Z");
  CHECK(read("1700000000123") == "2023-11-14T22:13:20.123Z");
  CHECK(read("1700000000123456") == "2023-11-14T22:13:20.123456Z");
  CHECK(read("1700000000123456789") == "2023-11-14T22:13:20.123456789Z");
  CHECK(read("1591367999.430166") == "2020-06-05T14:39:59.430166Z");
  CHECK(read("1591367999430.166") == "2020-06-05T14:39:59.430166Z");
  CHECK(read("1.7e9") == "2023-11-14T22:13:20Z");
  CHECK(read("1.7E+12") == "2023-11-14T22:13:20Z");
  CHECK(read("/Date(1700000000000)/") == "2023-11-14T22:13:20Z");
  CHECK(read("/Date(1700000000000+0200)/") == "2023-11-14T22:13:20Z");
  CHECK(read("/Date(-1000)/") == "1969-12-31T23:59:59Z");
  for (std::string_view const bad : {"",
                                     "0",
                                     "99999999",
                                     "-1700000000",
                                     "17000000000000000000000",
                                     "9999999999999999999",
                                     "1700000000x",
                                     "1700000000.",
                                     "1700000000.5x",
                                     ".5",
                                     "1e",
                                     "1e400",
                                     "nan",
                                     "inf",
                                     "e9",
                                     "/Date()/",
                                     "/Date(x)/",
                                     "/Date(99999999999999999999)/",
                                     "/Date(1",
                                     "2026-13-01T00:00:00Z",
                                     "2026-02-30 00:00:00",
                                     "yesterday",
                                     "99999999999"}) {
    CAPTURE(bad);
    CHECK(read(bad) == "none");
  }
  CHECK(read(std::string(1000, '1')) == "none");
}

TEST_CASE("normalize: a type may be detected in several ways") {
  NormalizeFixture given;
  given.add({{"app_login", "x"}});
  given.add({{"kind", "app"}, {"login", "x"}});
  given.run();
  CHECK(given.shown(0).starts_with("test/app-login|"));
  CHECK(given.shown(1).starts_with("test/app-login|"));
}

TEST_CASE("normalize: words say common fields, constants fill what nothing said") {
  NormalizeFixture given;
  given.add({{"verdict", "Deny"}, {"how", "success"}});
  given.make("test/words");
  given.add({{"mode", "deny"}, {"verdict", "allow"}});  // the first of `words` is heard
  given.make("test/words");
  given.add({{"verdict", "other"}, {"user", "x"}});
  given.make("test/words");
  given.add({{"verdict", "-"}, {"how", "success"}, {"mode", std::string_view()}});
  given.make("test/words");
  given.add(
      {{"verdict", "deny deny deny deny deny deny deny deny deny deny deny deny deny deny deny"}});
  given.make("test/words");
  given.run();
  CHECK(given.shown(0) == "test/words|verdict=Deny|how=success|outcome=failure|user=denied");
  CHECK(given.shown(1) ==
        "test/words|mode=deny|verdict=allow|outcome=success|target_user=m|user=nobody");
  CHECK(given.shown(2) == "test/words|verdict=other|user=x|outcome=unknown");
  CHECK(given.shown(3) == "test/words|verdict=-|how=success|mode=|outcome=success|user=nobody");
  CHECK(given.shown(4).ends_with("|outcome=unknown|user=nobody"));
}

TEST_CASE("normalize: what the decoder knows itself stays: type, time, common fields") {
  NormalizeFixture given;
  given.add({{"kind", "app"}, {"when", "2026-01-01T00:00:00Z"}, {"addr", "192.0.2.1"}});
  given.make("test/other");
  given.add({{"when", "2026-01-01T00:00:00Z"}, {"addr", "192.0.2.1"}});
  given.make("test/app");
  given.batch.events.back().time_from_arrival = false;
  given.add(
      {{"src_ip", "192.0.2.9"}, {"addr", "192.0.2.1"}, {"verdict", "deny"}, {"outcome", "x"}});
  given.make("test/app");
  given.add({{"verdict", "deny"}, {"outcome", "success"}});
  given.make("test/words");
  given.run();
  CHECK(given.shown(2) == "test/app|src_ip=192.0.2.9|addr=192.0.2.1|verdict=deny|outcome=x");
  CHECK(given.shown(3) == "test/words|verdict=deny|outcome=success|user=denied");
  CHECK(given.shown(0).starts_with("test/other|kind=app|when="));
  CHECK(!given.shown(0).contains("src_ip"));
  CHECK(given.shown(1).ends_with("|src_ip=192.0.2.1"));
  CHECK(given.batch.events[1].time == 42);
}

TEST_CASE("normalize: alternatives, patterns, objects; names in any case") {
  NormalizeFixture given;
  CHECK(given.one({{"product", "acme 5"}, {"inner.a.b", "1"}, {"WHO", "x"}}) ==
        "test/list|product=acme 5|inner.a.b=1|WHO=x|user=x|target_user=nobody");
  CHECK(given.one({{"Product", "other"}, {"Inner.a", "1"}}).starts_with("unknown|"));
  CHECK(given.one({{"Product", "acme"}, {"Innerly", "1"}}).starts_with("unknown|"));
  CHECK(given.one({{"code", "a-x"}}) == "test/list|code=a-x|target_user=nobody");
  CHECK(given.one({{"code", "amidst"}}).starts_with("test/list|"));
  CHECK(given.one({{"code", "-xa"}}).starts_with("unknown|"));
  CHECK(given.one({{"code", "-x", Kind::null}}).starts_with("unknown|"));
}

TEST_CASE("normalize: what holds under a condition; a type like another") {
  NormalizeFixture given;
  CHECK(given.one({{"same", "1"}, {"code", "1"}, {"Other", "o"}, {"Who", "w"}}) ==
        "test/same|same=1|code=1|Other=o|Who=w|user=o|outcome=success|target_user=nobody");
  CHECK(given.one({{"same", "1"}, {"code", "22"}, {"Other", "o"}, {"Who", "w"}}) ==
        "test/same|same=1|code=22|Other=o|Who=w|user=w|outcome=failure|target_user=nobody");
}

TEST_CASE("normalize: shapes give fields their plain names beside their own") {
  NormalizeFixture given;
  CHECK(
      given.one(
          {{"top.kind", "app"}, {"top.data.addr", "192.0.2.1"}, {"top.x.sub.who.#text", "w"}}) ==
      "test/app|top.kind=app|top.data.addr=192.0.2.1|top.x.sub.who.#text=w|kind=app|addr=192.0.2.1"
      "|who=w|src_ip=192.0.2.1|user=w|target_user=w");
  // A plain name that is there already, and one of ours.
  CHECK(given.one({{"top.kind", "app"}, {"kind", "other"}, {"top.data.src_ip", "192.0.2.9"}}) ==
        "unknown|top.kind=app|kind=other|top.data.src_ip=192.0.2.9|original.src_ip=192.0.2.9");
  CHECK(given.one({{"low.kind", "1"}, {"low.other", "x"}}) ==
        "unknown|low.kind=1|low.other=x|Kind=1|Other=x");
  given.add({{"top.kind", "app"}, {"top.at", "2026-01-01T00:00:00Z"}});
  given.run();
  CHECK(given.batch.events.back().time == 1767225600 * kSecond);
}

TEST_CASE("normalize: a type that only brings others gives way; names of the payload stay") {
  NormalizeFixture given;
  std::vector<NormalizeFixture::Given> const fields = {
      {"brought", "1"}, {"by", "2"}, {"way", "3"}, {"carrier", "c"}};
  given.add(fields);
  given.add(fields);
  given.batch.events[1].type = given.catalog->find_type("test/other")->id;
  given.batch.events[1].open_type = true;
  given.batch.events[1].open_time = true;
  std::vector<NormalizeFixture::Given> with = fields;
  with.push_back({"user", "payload"});
  given.add(with);
  given.batch.events[2].type = given.catalog->find_type("test/other")->id;
  given.batch.events[2].open_type = true;
  std::vector<NormalizeFixture::Given> better = with;
  better.push_back({"kind", "app"});
  better.push_back({"who", "w"});
  given.add(better);
  given.batch.events[3].open_type = true;
  given.batch.events[3].type = given.catalog->find_type("test/other")->id;
  given.run();
  CHECK(given.shown(0) == "test/brought|brought=1|by=2|way=3|carrier=c|user=c");
  CHECK(given.shown(1) == "test/other|brought=1|by=2|way=3|carrier=c|user=c");
  CHECK(given.shown(2) == "test/other|brought=1|by=2|way=3|carrier=c|user=payload");
  CHECK(given.shown(3) ==
        "test/app|brought=1|by=2|way=3|carrier=c|envelope.user=payload|kind=app|who=w|user=w"
        "|target_user=w");
}

}  // namespace vedette::normalize::normalize_test
