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

using Place = alert::OutputPlace;

Result<std::map<std::string, Place>> places_of(std::string_view state) {
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

}  // namespace

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
    rouse();
    {
      std::lock_guard const lock(mutex_);  // whoever has just looked at stop_ waits by now
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
    hurry_.store(true);
    rouse();
    std::unique_lock lock(mutex_);
    while (safe_.cursor < sequence && !stop_) {
      Nanos const left = deadline - monotonic_now();
      if (left <= 0) {
        break;
      }
      changed_.wait_for(lock, std::chrono::nanoseconds(left));
    }
    hurry_.store(false);
    return safe_.cursor >= sequence;
  }

 private:
  void rouse() {
    roused_.store(true);
    outbox_.wake();
  }

  void work(Place const& from) {
    cursor_ = from.cursor;
    bool const ready =
        retry([&] { return output_->open(); }) &&
        (from.position.empty() || retry([&] { return output_->restore(from.position); })) &&
        retry([&] { return save(); });
    if (!ready) {
      return;
    }
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
        rest(reader.sequence());
      } else if (!take(message)) {
        break;
      }
    }
    save_or_say();
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
    if (due_in() == 0) {
      save_or_say();
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
      note_failure({std::to_string(damaged_) + " bytes of the outbox are damaged",
                    "the alerts in them were not delivered", "", 0});
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

  /// Until what was delivered has to be made safe.
  Nanos due_in() const {
    Nanos const now = clock_.now();
    Nanos const due = saved_at_ + options_.save_every;
    return hurry_ || now >= due || now < saved_at_ ? 0 : due - now;
  }

  /// Nothing to deliver: makes safe what was, then waits for news.
  void rest(std::uint64_t sequence) {
    roused_.store(
        false);  // before looking at hurry_ and stop_: whoever sets them rouses afterwards
    Nanos wait = kIdleWait;
    if (dirty_) {
      wait = due_in();
      if (wait == 0) {
        wait = save_or_say() ? kIdleWait : options_.first_wait;
      }
    }
    if (!stop_) {
      outbox_.wait(sequence, wait, roused_);
    }
  }

  Status save() {
    saved_at_ = clock_.now();
    TRY(output_->flush());
    Place place{cursor_, output_->position()};
    outbox_.set_place(name_, place);
    TRY(outbox_.save_places());
    dirty_ = false;
    {
      std::lock_guard const lock(mutex_);
      safe_ = std::move(place);
    }
    changed_.notify_all();
    return {};
  }

  /// False: it could not be made safe. That holds up the checkpoint's view, not the delivery.
  bool save_or_say() {
    Status const done = save();
    if (!done) {
      note_failure(done.error());
    }
    return done.has_value();
  }

  std::string name_;
  std::unique_ptr<Output> output_;
  alert::Route route_;
  alert::Outbox& outbox_;
  Clock const& clock_;
  DeliveryOptions const& options_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> hurry_{false};   // somebody waits for the end
  std::atomic<bool> roused_{false};  // one of the two has changed

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
  std::vector<std::string> names;
  for (auto const& worker : workers_) {
    names.push_back(worker->name());
  }
  outbox_.keep_places(names);
  for (auto const& worker : workers_) {
    auto const known = places.find(worker->name());
    Place place = known != places.end() ? std::move(known->second) : Place{sequence, {}};
    // What was said after the checkpoint stays said, so an output need not go back so far. A place
    // from before it is that of an output that had been taken out of the configuration meanwhile.
    auto latest = outbox_.place(worker->name());
    if (latest && latest->cursor >= place.cursor) {
      place = std::move(*latest);
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
