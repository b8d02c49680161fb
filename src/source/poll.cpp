// Plugin: an HTTP API that gives its log in pages, asked again and again. What is asked, where the
// items are and what leads to the next page is data; docs/sources.md has examples.
#include "base/terminal_text.hpp"
#include "base/web_client.hpp"
#include "source/intake.hpp"
#include "source/poll_page.hpp"
#include "source/poll_state.hpp"

#include <algorithm>
#include <charconv>

namespace vedette::source::poll {
namespace {

constexpr Nanos kLongestWait = kHour;           // whatever a server asks for
constexpr Nanos kLongestBackoff = 5 * kMinute;  // after errors
constexpr int kStaleTries = 3;                  // a refused place is tried so often
constexpr std::size_t kShownAnswerBytes = 200;

struct PollSettings {
  WebRequest request;
  JsonPath items;
  bool lines = false;  ///< the answer is one JSON value per line
  bool link = false;   ///< the next page is in the Link header
  JsonPath next;       ///< else here; empty: there are no pages
  std::string cursor_param;
  JsonPath since;
  JsonPath id;
  std::string start;
  Nanos interval = 0;
  Nanos pause = 0;  ///< between two requests at least
};

std::string replaced(std::string text, std::string_view name, std::string const& value) {
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size()) {
    text.replace(at, name.size(), value);
  }
  return text;
}

/// The content of a JSON string.
std::string json_escaped(std::string const& text) {
  std::string out;
  json::append_string(out, text);
  return out.substr(1, out.size() - 2);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  auto const end = std::from_chars(text.data(), text.data() + text.size(), value);
  return end.ec == std::errc() && end.ptr == text.data() + text.size() ? std::optional(value)
                                                                       : std::nullopt;
}

class Poll final : public Fetcher {
 public:
  explicit Poll(PollSettings settings) : settings_(std::move(settings)) {}

  Status open(Intake& intake) override {
    TRY(state_.load(intake.settings().state_dir + "/poll-state", *intake.journal()));
    if (state_.since.empty()) {
      auto const ago = parse_duration(settings_.start);
      state_.since =
          ago ? format_time((intake.clock().now() - *ago) / kSecond * kSecond) : settings_.start;
    }
    return {};
  }

  void run(Intake& intake) override {
    WebClient client([&] { return intake.stopping(); });
    Nanos wait = 0;
    while (!intake.wait(wait)) {
      Result<WebAnswer> answer = client.send(request());
      if (intake.stopping()) {
        return;
      }
      if (!answer) {
        intake.complain(answer.error().message, answer.error().hint);
        wait = backoff();
        continue;
      }
      if (answer->status < 200 || answer->status >= 300) {
        wait = refused(intake, *answer);
        continue;
      }
      failures_ = 0;
      Result<bool> const more = take(intake, *answer);
      if (!more) {
        intake.drop_batch();
        intake.complain(shown_url(settings_.request.url) + ": " + more.error().message,
                        more.error().hint);
        wait = std::max(settings_.interval, backoff());
        continue;
      }
      wait = std::max(*more ? settings_.pause : settings_.interval, asked_wait(intake, *answer));
    }
  }

 private:
  WebRequest request() const {
    WebRequest out = settings_.request;
    std::string cursor;
    if (is_http_url(state_.next)) {
      out.url = state_.next;
    } else {
      cursor = state_.next;
    }
    out.url = replaced(out.url, "{since}", percent_encoded(state_.since));
    out.url = replaced(out.url, "{cursor}", percent_encoded(cursor));
    out.body = replaced(out.body, "{since}", json_escaped(state_.since));
    out.body = replaced(out.body, "{cursor}", json_escaped(cursor));
    if (!cursor.empty() && !settings_.cursor_param.empty()) {
      out.url += out.url.find('?') == std::string::npos ? '?' : '&';
      out.url += settings_.cursor_param + '=' + percent_encoded(cursor);
    }
    return out;
  }

  /// Takes the items of an answer. True: there is more right now.
  Result<bool> take(Intake& intake, WebAnswer& answer) {
    std::string const base = is_http_url(state_.next) ? state_.next : settings_.request.url;
    std::size_t items = 0;
    auto const item = [&](std::string_view raw) {
      ++items;
      take_item(intake, raw);
    };
    PollState const before = state_;
    Status taken;
    std::string next;
    if (settings_.lines) {
      each_line(answer.body, item);
    } else if (answer.body.find_first_not_of(" \t\r\n") != std::string::npos) {
      taken = each_item(answer.body, settings_.items, item);
      if (taken && !settings_.next.empty()) {
        Result<std::string> found = text_in(answer.body, settings_.next);
        taken = found ? Status{} : Status(std::unexpected(found.error()));
        next = found.value_or("");
      }
    }
    if (taken && settings_.link) {
      next = link_next(answer.header("link"));
    }
    if (taken && !next.empty() && (settings_.link || is_http_url(next) || next.front() == '/')) {
      std::string const target = next_url(base, next);
      taken = target.empty() ? Status(fail("the next page lies on another server: " +
                                               printable(next, kShownAnswerBytes),
                                           "it is not asked: the headers hold secrets"))
                             : Status{};
      next = target;
    }
    if (!taken) {
      state_ = before;
      return std::unexpected(taken.error());
    }
    if (items > 0) {
      state_.answer_taken();
    }
    bool const again = next == state_.next;
    state_.next = std::move(next);
    if (!intake.commit()) {
      state_ = before;
      return false;
    }
    if (Status const saved = state_.save(*intake.journal()); !saved) {
      intake.complain(saved.error().message, saved.error().hint);
    }
    stale_ = 0;
    return items > 0 && !again && !state_.next.empty();
  }

  template <class Visit>
  static void each_line(std::string_view body, Visit const& visit) {
    while (!body.empty()) {
      std::size_t const feed = body.find('\n');
      std::string_view line = body.substr(0, feed);
      line = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
      if (!line.empty()) {
        visit(line);
      }
      body.remove_prefix(feed == std::string_view::npos ? body.size() : feed + 1);
    }
  }

  void take_item(Intake& intake, std::string_view raw) {
    bool const repeats = !settings_.since.empty() || !settings_.id.empty();
    std::string identity;
    if (repeats) {
      if (Result<json::Value> const value = json::parse(raw)) {
        state_.note_since(settings_.since.empty() ? "" : text_at(*value, settings_.since));
        identity = settings_.id.empty() ? "" : text_at(*value, settings_.id);
      }
    }
    std::string_view const record = raw.substr(0, intake.settings().max_record);
    if (!state_.seen(record, identity.empty() ? raw : std::string_view(identity), repeats)) {
      intake.add(raw);
    }
  }

  Nanos refused(Intake& intake, WebAnswer const& answer) {
    std::string const where = shown_url(settings_.request.url);
    std::string const status = std::to_string(answer.status);
    Nanos const asked = asked_wait(intake, answer);
    if (answer.status == 429 || (answer.status == 503 && asked > 0)) {
      Nanos const wait = asked > 0 ? asked : backoff();
      intake.complain(where + " asks to wait (status " + status + ")",
                      "fewer requests: raise interval or lower rate");
      return wait;
    }
    std::string said = where + " answered " + status;
    if (!answer.body.empty()) {
      said += ": " + printable(answer.body, kShownAnswerBytes);
    }
    bool const place = answer.status == 400 || answer.status == 404 || answer.status == 410;
    if (place && !state_.next.empty() && ++stale_ >= kStaleTries) {
      state_.next.clear();
      stale_ = 0;
      intake.complain(said + "; the saved place is not known there any more",
                      "going on at the newest time seen, else anew");
      return settings_.pause;
    }
    intake.complain(said, answer.status == 401 || answer.status == 403
                              ? "check the secret in headers"
                              : "trying again");
    return backoff();
  }

  Nanos backoff() {
    Nanos const wait =
        std::min(kLongestBackoff, std::min(kSecond, settings_.interval) << std::min(failures_, 12));
    ++failures_;
    return std::max(wait, settings_.pause);
  }

  /// What the server wants: Retry-After, or the time when it counts anew.
  static Nanos asked_wait(Intake& intake, WebAnswer const& answer) {
    Nanos const now = intake.clock().now();
    std::string const after(answer.header("retry-after"));
    Nanos wait = 0;
    if (auto const seconds = whole_number(after)) {
      wait = std::clamp<std::int64_t>(*seconds, 0, kLongestWait / kSecond) * kSecond;
    } else if (std::int64_t const at = after.empty() ? -1 : parse_http_date(after); at > 0) {
      wait = subtract_clamped(std::min(at, kForever / kSecond) * kSecond, now);
    }
    for (std::string const& name : {std::string("x-ratelimit-"), std::string("x-rate-limit-")}) {
      auto const reset = whole_number(answer.header(name + "reset"));
      bool const spent = answer.header(name + "remaining") == "0" || answer.status == 429;
      if (wait <= 0 && spent && reset && *reset > 0) {
        wait = subtract_clamped(std::min(*reset, kForever / kSecond) * kSecond, now);
      }
    }
    return std::clamp<Nanos>(wait, 0, kLongestWait);
  }

  PollSettings settings_;
  PollState state_;
  int failures_ = 0;
  int stale_ = 0;
};

Status check(PollSettings const& settings) {
  WebRequest const& request = settings.request;
  if (!is_http_url(replaced(replaced(request.url, "{since}", "x"), "{cursor}", "x"))) {
    return fail("url is no http or https address", "write for example https://example.org/api/log");
  }
  for (std::string const& header : request.headers) {
    if (!is_header_line(header)) {
      return fail("headers: one of them is no header", "write each as \"Name: value\"");
    }
  }
  if (request.timeout < 100 * kMillisecond || request.timeout > kHour) {
    return fail("timeout is out of range", "write a duration from 100ms to 1h");
  }
  if (settings.interval < 100 * kMillisecond) {
    return fail("interval is out of range", "write a duration of at least 100ms");
  }
  bool const cursor_goes = !settings.cursor_param.empty() ||
                           request.url.find("{cursor}") != std::string::npos ||
                           request.body.find("{cursor}") != std::string::npos;
  if (cursor_goes && settings.next.empty()) {
    return fail("there is a place for a cursor, but `next` does not say where it comes from",
                "write its path in the answer: next: meta.cursor");
  }
  return {};
}

Result<std::unique_ptr<Source>> make(std::string name, Options const& options,
                                     SourceContext const& context) {
  TRY(IntakeSettings intake, intake_settings(std::move(name), "poll", options, context));
  PollSettings settings;
  settings.request.url = options.text("url");
  settings.request.post = options.text("method") == "POST";
  settings.request.body = options.text("body");
  settings.request.headers = options.list("headers");
  settings.request.ca = options.text("ca");
  settings.request.timeout = options.duration("timeout");
  settings.request.most = static_cast<std::size_t>(options.size("max_answer"));
  settings.lines = options.text("answer") == "lines";
  settings.cursor_param = options.text("cursor_param");
  settings.start = options.text("start");
  settings.interval = options.duration("interval");
  std::int64_t const rate = options.integer("rate");
  if (rate < 1 || rate > 60'000) {
    return fail("rate is not between 1 and 60000 requests a minute");
  }
  settings.pause = kMinute / rate;
  TRY(settings.items, parse_json_path(options.text("items")));
  settings.link = options.text("next") == "link";
  if (!settings.link) {
    TRY(settings.next, parse_json_path(options.text("next")));
  }
  TRY(settings.since, parse_json_path(options.text("since")));
  TRY(settings.id, parse_json_path(options.text("id")));
  TRY(check(settings));
  return make_fetching_source(std::move(intake), std::make_unique<Poll>(std::move(settings)));
}

std::vector<OptionSpec> options() {
  using Type = OptionSpec::Type;
  return {
      {.name = "url",
       .doc = "what is asked; {since} and {cursor} in it are filled in",
       .required = true},
      {.name = "method",
       .type = Type::choice,
       .doc = "how",
       .fallback = "GET",
       .choices = {"GET", "POST"}},
      {.name = "body", .doc = "of a POST; {since} and {cursor} in it are filled in"},
      {.name = "headers", .type = Type::list, .doc = "each \"Name: value\"; secrets as ${env:X}"},
      {.name = "answer",
       .type = Type::choice,
       .doc = "one JSON value, or one per line",
       .fallback = "json",
       .choices = {"json", "lines"}},
      {.name = "items",
       .doc = "path of the array in the answer, names with dots between them (else the answer "
              "itself)"},
      {.name = "next",
       .doc = "what leads to the next page: link (the Link header), or the path of a cursor or URL "
              "in the answer"},
      {.name = "cursor_param", .doc = "parameter of the URL that takes the cursor"},
      {.name = "since",
       .doc = "path in an item of its time or number; the greatest one is {since}"},
      {.name = "start",
       .doc = "{since} at the first start; a duration is that long ago",
       .fallback = "24h"},
      {.name = "id",
       .doc = "path in an item of what it is known by when it comes again (else all "
              "of it)"},
      {.name = "interval",
       .type = Type::duration,
       .doc = "between requests when there is nothing more",
       .fallback = "1m"},
      {.name = "rate",
       .type = Type::integer,
       .doc = "requests a minute at most, while there is more",
       .fallback = "60"},
      {.name = "timeout", .type = Type::duration, .doc = "for one request", .fallback = "30s"},
      {.name = "max_answer",
       .type = Type::size,
       .doc = "longer answers are refused",
       .fallback = "64MiB"},
      {.name = "ca", .doc = "file with the certificates to trust instead of the system's"},
  };
}

}  // namespace

SourceSpec spec() {
  return {
      .name = "poll",
      .summary = "an HTTP API that gives its log in pages, asked again and again",
      .options = with_intake_options(options()),
      .example =
          "{name: okta, type: poll, url: \"https://example.com/api/v1/logs?since={since}\", "
          "headers: [\"Authorization: SSWS x\"], next: link}",
      .make = &make,
  };
}

}  // namespace vedette::source::poll
