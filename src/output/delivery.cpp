#include "output/delivery.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace vedette::output {
namespace {

constexpr Nanos kIdleWait = kMinute;

}  // namespace

/// Where an output is: everything up to `cursor` is safe, `position` is the output's own word for
/// it.
struct Deliveries::Place {
  std::uint64_t cursor = 0;
  std::string position;
};

Result<std::map<std::string, Deliveries::Place>> Deliveries::places_of(std::string_view state) {
  std::map<std::string, Place> out;
  if (state.empty()) {
    return out;
  }
  TRY(auto const tree, json::parse(state));
  for (auto const& [name, value] : tree.members) {
    Place& place = out[name];
    place.cursor = static_cast<std::uint64_t>(std::max<std::int64_t>(value.int_or("cursor", 0), 0));
    place.position = value.string_or("position", "");
  }
  return out;
}

class Deliveries::Worker {
 public:
  Worker(std::string name, std::unique_ptr<Output> output, alert::Route route,
         alert::Outbox& outbox, Clock const& clock, DeliveryOptions const& options)
      : name_(std::move(name)),
        output_(std::move(output)),
        route_(std::move(route)),
        outbox_(outbox),
        clock_(clock),
        options_(options) {
    status_.name = name_;
  }
  ~Worker() { stop(); }

  std::string const& name() const { return name_; }

  void start(Place place) {
    {
      std::lock_guard const lock(mutex_);
      safe_ = place;
      status_.cursor = place.cursor;
    }
    thread_ = std::thread([this, from = std::move(place)] { work(from); });
  }

  void ask_to_stop() {
    stop_.store(true);
    output_->stop();
    outbox_.wake();
    {
      std::lock_guard const lock(mutex_);
    }
    changed_.notify_all();
    pause_.notify_all();
  }

  void stop() {
    if (thread_.joinable()) {
      ask_to_stop();
      thread_.join();
    }
  }

  Place safe() const {
    std::lock_guard const lock(mutex_);
    return safe_;
  }

  DeliveryStatus status() const {
    std::uint64_t const committed = outbox_.committed();
    std::lock_guard const lock(mutex_);
    DeliveryStatus out = status_;
    out.waiting = committed > out.cursor ? committed - out.cursor : 0;
    return out;
  }

  bool wait_until_safe(std::uint64_t sequence, Nanos deadline) {
    std::unique_lock lock(mutex_);
    while (safe_.cursor < sequence && !stop_) {
      Nanos const left = deadline - monotonic_now();
      if (left <= 0) {
        break;
      }
      changed_.wait_for(lock, std::chrono::nanoseconds(left));
    }
    return safe_.cursor >= sequence;
  }

 private:
  void work(Place const& from) {
    bool const ready =
        retry([&] { return output_->open(); }) &&
        (from.position.empty() || retry([&] { return output_->restore(from.position); }));
    if (!ready) {
      return;
    }
    cursor_ = from.cursor;
    save();
    alert::OutboxReader reader(outbox_, from.cursor);
    Message message;
    while (!stop_) {
      bool more = false;
      bool const read = retry([&]() -> Status {
        TRY(more, reader.next(message));
        return {};
      });
      note_damage(reader);
      if (!read) {
        break;
      }
      if (!more) {
        if (!save_if_needed()) {
          continue;
        }
        outbox_.wait(reader.sequence(), kIdleWait, stop_);
      } else if (!take(message)) {
        break;
      }
    }
    save();
  }

  /// False: stopped before it was delivered.
  bool take(Message const& message) {
    bool const wanted = route_.takes(message);
    if (wanted && !retry([&] { return output_->deliver(message); })) {
      return false;
    }
    cursor_ = message.sequence;
    dirty_ = true;
    {
      std::lock_guard const lock(mutex_);
      status_.cursor = cursor_;
      ++(wanted ? status_.delivered : status_.left_out);
    }
    Nanos const now = clock_.now();
    if (now - saved_at_ >= options_.save_every || now < saved_at_) {
      save();
    }
    return true;
  }

  /// Tries until it succeeds (true) or the end is asked for (false).
  template <class Attempt>
  bool retry(Attempt&& attempt) {
    Nanos wait = options_.first_wait;
    while (!stop_) {
      Status const done = attempt();
      if (done) {
        std::lock_guard const lock(mutex_);
        status_.failing = false;
        return true;
      }
      if (stop_) {
        break;  // given up because it was asked to, which is no failure
      }
      note_failure(done.error());
      pause(wait);
      wait = std::min(wait * 2, options_.longest_wait);
    }
    return false;
  }

  void note_failure(Error const& error) {
    std::lock_guard const lock(mutex_);
    ++status_.failed;
    status_.failing = true;
    status_.last_error = error.text();
    status_.last_error_at = clock_.now();
  }

  void note_damage(alert::OutboxReader const& reader) {
    if (reader.damaged_bytes() > damaged_) {
      damaged_ = reader.damaged_bytes();
      note_failure({std::to_string(damaged_) + " bytes of the outbox are damaged; alerts in them "
                                               "were not delivered",
                    {},
                    {},
                    0});
    }
  }

  void pause(Nanos duration) {
    if (options_.wait) {
      options_.wait(duration, stop_);
      return;
    }
    std::unique_lock lock(mutex_);
    pause_.wait_for(lock, std::chrono::nanoseconds(duration), [&] { return stop_.load(); });
  }

  /// Makes safe what was delivered. False: it could not, and was waited for; try again.
  bool save_if_needed() { return !dirty_ || save() || !retry_save(); }
  bool retry_save() {
    pause(options_.first_wait);
    return !stop_;
  }

  bool save() {
    saved_at_ = clock_.now();
    Status done = output_->flush();
    Place place{cursor_, output_->position()};
    if (done && place.position.empty()) {
      outbox_.set_cursor(name_, cursor_);
      if (dirty_) {
        done = outbox_.save_cursors();
      }
    }
    if (!done) {
      note_failure(done.error());
      return false;
    }
    dirty_ = false;
    {
      std::lock_guard const lock(mutex_);
      safe_ = std::move(place);
    }
    changed_.notify_all();
    return true;
  }

  std::string name_;
  std::unique_ptr<Output> output_;
  alert::Route route_;
  alert::Outbox& outbox_;
  Clock const& clock_;
  DeliveryOptions const& options_;
  std::thread thread_;
  std::atomic<bool> stop_{false};

  // Of the thread alone.
  std::uint64_t cursor_ = 0;
  std::uint64_t damaged_ = 0;
  Nanos saved_at_ = 0;
  bool dirty_ = false;

  mutable std::mutex mutex_;  // safe_, status_
  std::condition_variable changed_;
  std::condition_variable pause_;
  Place safe_;
  DeliveryStatus status_;
};

Deliveries::Deliveries(alert::Outbox& outbox, Clock const& clock, DeliveryOptions options)
    : outbox_(outbox), clock_(clock), options_(std::move(options)) {}

Deliveries::~Deliveries() { stop(); }

void Deliveries::add(std::string name, std::unique_ptr<Output> output, alert::Route route) {
  workers_.push_back(std::make_unique<Worker>(std::move(name), std::move(output), std::move(route),
                                              outbox_, clock_, options_));
}

Status Deliveries::start(std::string_view state, std::uint64_t sequence) {
  TRY(auto places, places_of(state));
  for (auto const& worker : workers_) {
    auto const known = places.find(worker->name());
    Place place = known != places.end() ? std::move(known->second) : Place{sequence, {}};
    if (place.position.empty()) {
      // It cannot be taken back: go on where it really was, not where the checkpoint says.
      place.cursor = std::max(place.cursor, outbox_.cursor(worker->name()));
    }
    worker->start(std::move(place));
  }
  return {};
}

Deliveries::Saved Deliveries::save() const {
  Saved out;
  out.delivered = outbox_.committed();
  json::Writer writer(out.state);
  writer.begin_object();
  for (auto const& worker : workers_) {
    Place const place = worker->safe();
    out.delivered = std::min(out.delivered, place.cursor);
    writer.key(worker->name()).begin_object();
    writer.key("cursor").number(place.cursor);
    writer.key("position").string(place.position);
    writer.end_object();
  }
  writer.end_object();
  return out;
}

bool Deliveries::drain(Nanos timeout) {
  std::uint64_t const sequence = outbox_.committed();
  Nanos const deadline = monotonic_now() + timeout;
  bool all = true;
  for (auto const& worker : workers_) {
    all = worker->wait_until_safe(sequence, deadline) && all;
  }
  return all;
}

void Deliveries::stop() {
  for (auto const& worker : workers_) {
    worker->ask_to_stop();
  }
  for (auto const& worker : workers_) {
    worker->stop();
  }
}

std::vector<DeliveryStatus> Deliveries::status() const {
  std::vector<DeliveryStatus> out;
  for (auto const& worker : workers_) {
    out.push_back(worker->status());
  }
  return out;
}

}  // namespace vedette::output
