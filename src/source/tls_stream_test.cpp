// Certificates that cannot be used are named when the source is opened; the rest, with real
// clients, is in test/integration/network_test.py.
#include "source/tls_stream.hpp"

#include "source/syslog_server.hpp"
#include "source/test_files.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>

namespace vedette::source::tls_stream_test {
namespace {

bool make_certificate(test::Folder const& dir, std::string const& name) {
  std::string const command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
      name + " -keyout " + (dir / (name + ".key")) + " -out " + (dir / (name + ".pem")) +
      " >/dev/null 2>&1";
  return std::system(command.c_str()) == 0;
}

}  // namespace

TEST_CASE("Certificates are checked when they are loaded, and renewals are noticed") {
  test::Folder const dir;
  REQUIRE(make_certificate(dir, "a"));
  REQUIRE(make_certificate(dir, "b"));
  dir.write("junk.pem", "no certificate\n");
  auto const load = [&](std::string const& cert, std::string const& key, std::string const& ca) {
    auto const client = ca.empty() ? TlsSettings::Client::none : TlsSettings::Client::required;
    return TlsContext::load({dir / cert, dir / key, ca.empty() ? "" : dir / ca, client});
  };
  auto const good = load("a.pem", "a.key", "b.pem");
  REQUIRE(good.has_value());
  CHECK_FALSE((*good)->changed());
  CHECK_FALSE(load("a.pem", "b.key", "").has_value());
  CHECK_FALSE(load("junk.pem", "a.key", "").has_value());
  CHECK_FALSE(load("a.pem", "junk.pem", "").has_value());
  CHECK_FALSE(load("a.pem", "a.key", "junk.pem").has_value());
  CHECK_FALSE(load("missing.pem", "a.key", "").has_value());
  dir.append("a.pem", "\n");
  CHECK((*good)->changed());
  dir.remove("a.pem");  // being replaced: not a change yet
  CHECK_FALSE((*good)->changed());
}

TEST_CASE("A peer that does not speak TLS, or speaks too slowly, is let go") {
  test::Folder const dir;
  REQUIRE(make_certificate(dir, "a"));
  SyslogSettings settings{.patience = 100 * kMillisecond};
  settings.listen = {*parse_listen_address("tls://127.0.0.1:0")};
  settings.tls = {dir / "a.pem", dir / "a.key", "", TlsSettings::Client::none};
  std::vector<Error> problems;
  std::shared_ptr<Journal> const journal = std::move(*Journal::open(dir / "journal", {}, problems));
  SyslogServer server(settings, journal, system_clock());
  REQUIRE(server.start(problems).has_value());
  REQUIRE(problems.empty());
  auto const port = std::to_string(server.ports()[0]);
  std::string const junk = "printf '<13>no TLS\\n' | nc -w 3 127.0.0.1 " + port + " >/dev/null";
  static_cast<void>(std::system(junk.c_str()) == 0);
  std::string const slow = "sleep 3 | nc -w 3 127.0.0.1 " + port + " >/dev/null";
  static_cast<void>(std::system(slow.c_str()) == 0);
  std::string said;
  for (Error const& problem : server.complaints().take()) {
    said += problem.text() + '\n';
  }
  CHECK(said.find("TLS with 127.0.0.1 failed") != std::string::npos);
  CHECK(said.find("did not finish a TLS handshake in time") != std::string::npos);
  CHECK(journal->end() == 0);
  settings.tls.key = dir / "missing";
  SyslogServer broken(settings, journal, system_clock());
  CHECK_FALSE(broken.start(problems).has_value());
}

}  // namespace vedette::source::tls_stream_test
