// One HTTP request after the other, through libcurl (web_client.cpp alone knows it).
// Redirects are followed within one host and port only: headers hold secrets.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

struct WebRequest {
  std::string url;
  bool post = false;
  std::string body;                  ///< of a POST
  std::vector<std::string> headers;  ///< each `Name: value`
  std::string ca;                    ///< file of certificates to trust; "" = the system's
  Nanos timeout = 0;
  std::size_t most = 0;  ///< bytes of answer (decompressed); more is an error
  bool cut = false;      ///< more is cut off instead
};

struct WebAnswer {
  long status = 0;
  std::map<std::string, std::string, std::less<>> headers;  ///< names in lower case
  std::string body;

  std::string_view header(std::string_view name) const;
};

class WebClient {
 public:
  /// `stopping` is asked while a request runs; true ends it with an error.
  explicit WebClient(std::function<bool()> stopping);
  ~WebClient();
  WebClient(WebClient const&) = delete;
  WebClient& operator=(WebClient const&) = delete;

  /// Any status is an answer; an error is that none came.
  Result<WebAnswer> send(WebRequest const& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// http or https, with a host.
bool is_http_url(std::string const& url);
/// `url` as written in an answer to `base`: absolute, or relative to it; "" when it is none, or
/// leads to another host, port or scheme.
std::string next_url(std::string const& base, std::string const& url);
/// Without user, password and query, which may be secrets.
std::string shown_url(std::string const& url);
/// Whether a text can stand in a header line.
bool is_plain_header(std::string_view text);
/// `Name: value`.
bool is_header_line(std::string_view text);
/// For a value in a query.
std::string percent_encoded(std::string_view text);
/// The first target with `rel="next"` of a Link header; "" when there is none.
std::string link_next(std::string_view header);
/// Seconds since 1970 of an HTTP date; -1 when it is none.
std::int64_t parse_http_date(std::string const& text);

}  // namespace vedette
