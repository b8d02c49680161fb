#include "catalog/catalog.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace vedette::catalog {
namespace {

constexpr char kFields[] = R"(
- {name: src_ip, type: ip, doc: "address"}
- {name: user, type: word, doc: "who"}
- {name: outcome, type: word, values: [success, failure, unknown], doc: "how"}
)";

constexpr char kTypes[] = R"(
- type: linux/sshd
  title: OpenSSH server
  logsource: [{product: linux, service: sshd}, {product: linux, service: auth}]
- type: windows/sysmon
  title: Sysmon
  logsource: [{product: windows, service: sysmon}, {category: process_creation, product: windows}]
  detect: {Channel: Microsoft-Windows-Sysmon/Operational, EventID: ["*"]}
  time: [UtcTime, "@timestamp"]
  map: {User: user, Both: [user, src_ip]}
)";

Result<std::unique_ptr<Catalog>> load_types(std::string const& types,
                                            std::string const& fields = kFields) {
  return Catalog::load({{"types/t.yaml", types}, {"fields.yaml", fields}, {"rules/x.yml", "]"}});
}

std::string load_error(std::string const& types, std::string const& fields = kFields) {
  auto const catalog = load_types(types, fields);
  return catalog ? "" : catalog.error().text();
}

}  // namespace

TEST_CASE("catalog: fields and types") {
  auto const loaded = load_types(kTypes);
  REQUIRE(loaded.has_value());
  Catalog const& catalog = **loaded;
  REQUIRE_EQ(catalog.common().size(), 3);
  CHECK_EQ(catalog.common()[2].values, std::vector<std::string>{"success", "failure", "unknown"});
  FieldId const user = catalog.fields().find("user").value();
  CHECK_EQ(static_cast<int>(user), 1);
  CHECK(catalog.is_common(user));
  CHECK_FALSE(catalog.is_common(catalog.fields().find("UtcTime").value()));
  CHECK_EQ(catalog.fields().type(FieldId{0}) == FieldType::ip, true);

  CHECK_EQ(catalog.type(kUnknownType).name, "unknown");
  REQUIRE_EQ(catalog.types().size(), 3);
  LogType const& sysmon = *catalog.find_type("windows/sysmon");
  CHECK_EQ(static_cast<int>(sysmon.id), 2);
  CHECK_EQ(catalog.type(sysmon.id).title, "Sysmon");
  REQUIRE_EQ(sysmon.detect.size(), 1);
  REQUIRE_EQ(sysmon.detect[0].size(), 2);
  CHECK_EQ(catalog.fields().name(sysmon.detect[0][1].field), "EventID");
  CHECK_EQ(sysmon.detect[0][1].values, std::vector<std::string>{"*"});
  REQUIRE_EQ(sysmon.time.size(), 2);
  CHECK_EQ(catalog.fields().name(sysmon.time[1]), "@timestamp");
  REQUIRE_EQ(sysmon.map.size(), 3);
  CHECK_EQ(sysmon.map[0].to == user, true);
  CHECK_EQ(catalog.fields().name(sysmon.map[2].from), "Both");
  CHECK_EQ(catalog.find_type("none"), nullptr);
}

TEST_CASE("catalog: a logsource means the types that have all it names in one entry") {
  auto const loaded = load_types(kTypes).value();
  auto const ids = [&](LogSource const& source) {
    std::string out;
    for (TypeId const id : loaded->types_of(source)) {
      out += loaded->type(id).name + " ";
    }
    return out;
  };
  CHECK_EQ(ids({"", "linux", ""}), "linux/sshd ");
  CHECK_EQ(ids({"", "linux", "auth"}), "linux/sshd ");
  CHECK_EQ(ids({"", "linux", "cron"}), "");
  CHECK_EQ(ids({"process_creation", "", ""}), "windows/sysmon ");
  CHECK_EQ(ids({"process_creation", "windows", "sysmon"}), "");  // not in one entry
  CHECK_EQ(ids({"", "", ""}), "linux/sshd windows/sysmon ");
}

TEST_CASE("catalog: types of decoders are added once") {
  auto const catalog = load_types(kTypes).value();
  TypeId const added = catalog->add_type("my/app");
  CHECK_EQ(static_cast<int>(added), 3);
  CHECK_EQ(catalog->add_type("my/app") == added, true);
  CHECK_EQ(static_cast<int>(catalog->add_type("linux/sshd")), 1);
  CHECK_EQ(catalog->type(added).name, "my/app");
}

TEST_CASE("catalog: strict, with file and line") {
  CHECK_EQ(load_error("- {type: a/b, title: x, lgosource: []}"),
           "types/t.yaml:1: unknown key 'lgosource'; did you mean 'logsource'? known: type title "
           "logsource detect time map words set envelope like");
  CHECK_EQ(load_error("- {title: x}"), "types/t.yaml:1: 'type' is missing");
  CHECK_EQ(load_error("- {type: a/b}"), "types/t.yaml:1: 'title' is missing");
  CHECK_EQ(load_error("\n- {type: Bad, title: x}"),
           "types/t.yaml:2: 'Bad' is no name of a log type; write product/service in lower case");
  CHECK_EQ(load_error("- {type: a/b, title: x}\n- {type: a/b, title: y}\n"),
           "types/t.yaml:2: the type 'a/b' is there twice");
  CHECK_EQ(load_error("- type: a/b\n  title: x\n  map: {U: usr}"),
           "types/t.yaml:3: 'usr' is no common field; did you mean 'user'?");
  CHECK_EQ(load_error("- type: a/b\n  title: x\n  set: {usr: x}"),
           "types/t.yaml:3: 'usr' is no common field; did you mean 'user'?");
  CHECK_EQ(load_error("- type: a/b\n  title: x\n  words: {a: {deny: {usr: x}}}"),
           "types/t.yaml:3: 'usr' is no common field; did you mean 'user'?");
  CHECK_EQ(load_error("- type: a/b\n  title: x\n  words: {a: deny}"),
           "types/t.yaml:3: a map of words to common fields is expected here");
  CHECK_EQ(load_error("- type: a/b\n  title: x\n  map: {U: U}"),
           "types/t.yaml:3: 'U' is no common field; fields.yaml lists them");
  for (char const* const types : {"type: a/b",
                                  "- x",
                                  "- {type: a/b, title: x, logsource: {product: x}}",
                                  "- {type: a/b, title: x, logsource: [{}]}",
                                  "- {type: a/b, title: x, logsource: [{os: x}]}",
                                  "- {type: a/b, title: x, logsource: [{product: [x]}]}",
                                  "- {type: a/b, title: x, detect: y}",
                                  "- {type: a/b, title: x, detect: {}}",
                                  "- {type: a/b, title: x, detect: {F: {a: b}}}",
                                  "- {type: a/b, title: x, time: {a: b}}",
                                  "- {type: a/b, title: x, time: [[a]]}",
                                  "- {type: a/b, title: x, map: [user]}",
                                  "- {type: a/b, title: x, detect: []}",
                                  "- {type: a/b, title: x, detect: {F.*: y}}",
                                  "- {type: a/b, title: x, set: [{usr: x}]}",
                                  "- {type: a/b, title: x, set: [{outcome: well}]}",
                                  "- {type: a/b, title: x, set: [{when: {A: b}}]}",
                                  "- {type: a/b, title: x, envelope: 1}",
                                  "- {type: [a], title: x}",
                                  "- {type: a/b/c, title: x}",
                                  "- {type: /b, title: x}",
                                  "- {type: a/b, title: ''}",
                                  "["}) {
    INFO(std::string(types));
    CHECK_EQ(load_error(types).substr(0, 13), "types/t.yaml:");
  }
  CHECK_EQ(load_error("- {type: a/b, title: x, like: a/c}"),
           "the type 'a/b' is like 'a/c', which does not exist");
  CHECK_EQ(load_error("", "- {name: a, type: number, doc: x}"),
           "fields.yaml:1: unknown field type 'number'; one of: text word int ip hash url time");
  CHECK_EQ(load_error("", "- {name: a, type: ip, doc: x}\n- {name: a, type: ip, doc: x}"),
           "fields.yaml:2: the field 'a' is there twice");
  CHECK_EQ(load_error("", "- {name: a, type: ip}"), "fields.yaml:1: 'doc' is missing");
  CHECK_NE(load_error("", "- {name: a, type: ip, doc: x, values: y}"), "");
}

TEST_CASE("catalog: what is embedded loads") {
  auto const catalog = Catalog::embedded();
  if (!catalog) {
    FAIL(catalog.error().text());
  }
  CHECK((*catalog)->fields().find("src_ip").has_value());
  CHECK((*catalog)->find_type("linux/sshd") != nullptr);
  for (ContentFile const& file : embedded_content("decoders/")) {
    CHECK_EQ(file.path.substr(0, 9), "decoders/");
  }
  CHECK_FALSE(embedded_content("types/").empty());
  CHECK(embedded_content("nothing/").empty());
  std::vector<TypeId> const proxies = (*catalog)->types_of({.category = "proxy"});
  for (std::string_view const name : {"proxy/w3c", "proxy/squid", "proxy/haproxy"}) {
    CAPTURE(name);
    LogType const* const type = (*catalog)->find_type(name);
    REQUIRE(type != nullptr);
    CHECK(std::count(proxies.begin(), proxies.end(), type->id) == 1);
  }
}

}  // namespace vedette::catalog
