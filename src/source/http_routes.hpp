// What the HTTP source answers: from a request to records and an answer, without sockets.
#pragma once

#include "source/http_bodies.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::source {

struct HttpRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string, std::less<>> query;
  std::string authorization;
  std::string content_type;
  std::string channel;  ///< X-Splunk-Request-Channel
  std::string body;     ///< decompressed
};

struct HttpAnswer {
  unsigned status = 200;
  std::string body;
  std::string type = "application/json";
  bool challenge = false;    ///< WWW-Authenticate
  unsigned retry_after = 0;  ///< seconds; 0 = do not say
};

/// A secret that senders show, and the name that what they send is kept under.
struct HttpToken {
  std::string name;
  std::string secret;
};

class HttpRoutes {
 public:
  /// No tokens: everybody may send, and everything belongs to token 0.
  HttpRoutes(std::vector<HttpToken> tokens, Nanos now);

  /// Whose token the request shows; nullopt: nobody's. Takes the same time for every wrong secret.
  std::optional<std::size_t> token_of(HttpRequest const& request) const;
  /// The answer to one without a token, in the words of the interface it asked for.
  static HttpAnswer refusal(HttpRequest const& request);
  /// Whether an answer is given to anybody.
  static bool is_public(HttpRequest const& request);
  /// Reads the body into `sink`. The answer must be given only once the records are durable.
  HttpAnswer answer(HttpRequest const& request, RecordSink& sink);
  /// Instead of the answer, when the records cannot be kept (429, 503) or are too many (413).
  static HttpAnswer failure(HttpRequest const& request, unsigned status, std::string_view why);

 private:
  HttpAnswer collector(HttpRequest const& request, std::string_view rest, RecordSink& sink);
  HttpAnswer acknowledged(HttpRequest const& request) const;

  std::vector<HttpToken> tokens_;
  std::uint64_t next_ack_;  // grows over restarts, too: what was ever given out was durable then
};

/// `Basic`, `Bearer`, `Splunk` or `ApiKey` with what follows it; base64 taken off where it is one.
std::string secret_of(std::string_view authorization);

}  // namespace vedette::source
