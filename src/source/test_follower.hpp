// For tests of followed files: a source and its logs, driven as the service drives them.
#pragma once

#include "source/file_source.hpp"
#include "source/test_files.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace vedette::source::test {

inline constexpr Nanos kLinger = 20 * kMillisecond;

/// A source and its logs, as the service drives them.
class Follower {
 public:
  Follower(std::vector<std::string> paths, bool from_end = false)
      : paths_(std::move(paths)), from_end_(from_end) {
    start();
  }

  /// All that can be read now.
  void pump() {
    source_->woken();
    discover();
    for (auto const& log : logs_) {
      read_on(*log, reads_[short_name(log->name())], want);
    }
  }

  /// Until nothing has come for longer than a rotated file may stay quiet.
  void settle() {
    Nanos const until = monotonic_now() + 4 * kLinger;
    while (monotonic_now() < until) {
      pump();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  void stop() {
    for (auto const& log : logs_) {
      positions_[log->name()] = log->position();
    }
    logs_.clear();
    source_.reset();
  }
  /// As after kill -9: reading goes on from the positions given.
  void start() {
    settings_ = std::make_shared<FileSettings>();
    settings_->clock = &system_clock();
    settings_->follow = true;
    settings_->from_end = from_end_;
    settings_->linger = kLinger;
    settings_->deleted = 2 * kLinger;
    settings_->look = 10 * kMillisecond;
    settings_->max_record = max_record;
    source_ = std::make_unique<FileSource>("f", paths_, settings_);
    for (auto const& [name, position] : positions_) {
      source_->recall(name, position);
    }
    std::vector<Error> problems;
    REQUIRE(source_->open(problems).has_value());
    discover();
  }
  void restart() {
    stop();
    start();
  }

  Read& of(std::string const& name) { return reads_[name]; }
  std::string text(std::string const& name) { return reads_[name].text; }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (auto const& log : logs_) {
      out.push_back(short_name(log->name()));
    }
    return out;
  }
  std::string all_text() {
    std::string out;
    for (auto const& [name, read] : reads_) {
      out += read.text;
    }
    return out;
  }
  std::vector<std::string> errors() {
    std::vector<std::string> out = problems_;
    for (auto const& [name, read] : reads_) {
      out.insert(out.end(), read.errors.begin(), read.errors.end());
    }
    return out;
  }
  FileSource& source() { return *source_; }

  std::size_t want = 65536;
  std::size_t max_record = 1 << 20;

 private:
  static std::string short_name(std::string const& name) {
    return name.substr(name.find_last_of('/') + 1);
  }
  void discover() {
    std::vector<Error> problems;
    for (auto& log : source_->discover(problems)) {
      auto const saved = positions_.find(log->name());
      if (saved != positions_.end()) {
        REQUIRE(log->restore(saved->second).has_value());
      }
      logs_.push_back(std::move(log));
    }
    for (Error const& problem : problems) {
      problems_.push_back(problem.text());
    }
  }

  std::vector<std::string> paths_;
  bool from_end_;
  std::shared_ptr<FileSettings> settings_;
  std::unique_ptr<FileSource> source_;
  std::vector<std::unique_ptr<Log>> logs_;
  std::map<std::string, std::string> positions_;
  std::map<std::string, Read> reads_;
  std::vector<std::string> problems_;
};

inline void check_ids_once(Read const& read) {
  std::set<std::string> const once(read.ids.begin(), read.ids.end());
  CHECK(once.size() == read.ids.size());
}

inline std::string long_lines(std::string const& mark, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    out += mark + " line " + std::to_string(i) + " with some more text to make it longer\n";
  }
  return out;
}

}  // namespace vedette::source::test
