#!/usr/bin/env python3
"""latency.py - how long after its last line is written an attack is told, by `vedette run` at half load.

  bench/latency.py [--seconds 15] [--share 0.5]

First a followed log of 100 MB is there at once: how fast `run` gets through it is full load. Then lines are written at
half of that rate, and among them, some hundred times a second, five refused passwords from an address of its own. The
time from the write() of the fifth line until the alert stands in the file output is one measurement. What is told so
early is published before the watermark. Durable as always: alerts are on disk before they are delivered.

The log is the auth corpus of bench/run.py; its stamps run as fast as its lines are written.
"""
import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run as bench  # noqa: E402

GOAL = 20                # ms, 99th percentile
EVERY = 0.005            # seconds between two marked attacks
TICK = 0.001             # seconds between two writes
FULL_LOAD = 100_000_000  # bytes
FIRST = 2                # number of the first marked attack under steady load

RULES = """\
title: Refused password of a marked user
id: 6f1d7a3e-5b7c-4d0e-9a57-0c8c0a6f2b11
name: marked_failure
logsource: {product: linux, service: sshd}
detection:
  selection: {user: latencymark, outcome: failure}
  condition: selection
level: informational
---
title: Marked attack
id: 0b7c3a52-8a3f-4b46-9a0e-4a7f5d1c9e22
correlation:
  type: event_count
  rules: [marked_failure]
  group-by: [src_ip]
  timespan: 1m
  condition: {gte: 5}
level: high
"""


def address(number):
    return f'10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}'


def burst(stamp, number):
    return b''.join(b'%s mark sshd[7]: Failed password for latencymark from %s port %d ssh2\n'
                    % (stamp, address(number).encode(), 1024 + n) for n in range(5))


class Service:
    """`vedette run` over one log, in a folder of its own. Alerts of marked attacks go to a file of their own."""

    def __init__(self, program, folder):
        self.folder = pathlib.Path(folder)
        self.log, self.marks = self.folder / 'auth.log', self.folder / 'marks.ndjson'
        self.log.touch()
        (self.folder / 'marked.yml').write_text(RULES, encoding='utf-8')
        config = {
            'state': str(self.folder / 'state'),
            'sources': [{'name': 'log', 'type': 'file', 'paths': [str(self.log)], 'from': 'start'}],
            'rules': {'paths': ['default', str(self.folder / 'marked.yml')]},
            'outputs': [{'name': 'marks', 'type': 'file', 'path': str(self.marks), 'rules': ['Marked attack']},
                        {'name': 'all', 'type': 'file', 'path': str(self.folder / 'all.ndjson')}],
        }
        (self.folder / 'vedette.yaml').write_text(json.dumps(config), encoding='utf-8')  # JSON is YAML
        self.errors = open(self.folder / 'stderr', 'wb+')
        self.process = subprocess.Popen([program, 'run', '--config', self.folder / 'vedette.yaml'], stdout=subprocess.DEVNULL,
                                        stderr=self.errors)
        self.rest, self.reader = b'', None

    def alerts(self):
        """Marked attacks told since the last call: numbers, and when they were seen here."""
        if self.reader is None:
            with contextlib.suppress(FileNotFoundError):
                self.reader = open(self.marks, 'rb', 0)
        data = self.reader.read(1 << 20) if self.reader else b''
        if not data:
            if self.process.poll() is not None:
                self.errors.seek(0)
                bench.fail(f'vedette run ended: {self.errors.read().decode(errors="replace").strip()[-500:]}')
            return []
        now = time.monotonic()
        lines = (self.rest + data).split(b'\n')
        self.rest = lines.pop()
        found = []
        for line in lines:
            at = line.find(b'"src_ip":"10.')
            if at >= 0:
                a, b, c = line[at + 13:line.index(b'"', at + 13)].split(b'.')
                found.append((int(a) << 16 | int(b) << 8 | int(c), now))
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def wait_for(service, number, seconds):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        for found, when in service.alerts():
            if found == number:
                return when
        time.sleep(0.001)
    bench.fail(f'marked attack {number} was not told within {seconds} s')


def full_load(program, text):
    """Lines per second of `run` when they are all there."""
    end = text.rfind(b'\n', 0, FULL_LOAD) + 1
    with tempfile.TemporaryDirectory(dir=bench.CACHE) as folder:
        service = Service(program, folder)
        try:
            with open(service.log, 'ab', 0) as log:
                log.write(burst(bytes(text[:15]), 0))
                wait_for(service, 0, 30)
                last = text.rfind(b'\n', 0, end - 1) + 1
                start = time.monotonic()
                log.write(memoryview(text)[:end])
                log.write(burst(bytes(text[last:last + 15]), 1))
            seconds = wait_for(service, 1, 300) - start
        finally:
            service.stop()
    return text.count(b'\n', 0, end) / seconds


def write_steadily(path, text, rate, seconds, begun):
    """The load, in a process of its own. Tells (number, time of the write) of each marked attack, then how much it wrote."""
    written, number, start = 0, FIRST, time.monotonic()
    times, due = [], 0.0
    with open(path, 'ab', 0) as log:
        while True:
            elapsed = time.monotonic() - start
            end = text.rfind(b'\n', written, min(int(elapsed * rate) + 1, len(text))) + 1
            if elapsed >= seconds or end >= len(text) - 65536:
                break
            if end > written:
                log.write(memoryview(text)[written:end])
                written = end
            if written and elapsed >= due:
                line = text.rfind(b'\n', 0, written - 1) + 1
                mark = burst(bytes(text[line:line + 15]), number)
                times.append((number, time.monotonic()))
                log.write(mark)
                number, due = number + 1, elapsed + EVERY
            time.sleep(TICK)
    begun.send((times, text.count(b'\n', 0, written), time.monotonic() - start))


def steady_load(program, text, rate, seconds):
    """Latencies in ms, lines per second really written."""
    with tempfile.TemporaryDirectory(dir=bench.CACHE) as folder:
        service = Service(program, folder)
        try:
            with open(service.log, 'ab', 0) as log:
                log.write(burst(bytes(text[:15]), 0))
            wait_for(service, 0, 30)
            receive, send = multiprocessing.Pipe(False)
            writer = multiprocessing.Process(target=write_steadily, args=(service.log, text, rate, seconds, send))
            writer.start()
            told, sent = {}, None
            limit = time.monotonic() + seconds + 60
            while sent is None or (len(told) < len(sent[0]) and time.monotonic() < limit):
                for number, when in service.alerts():
                    if number >= FIRST:  # one from before may be told again, as closed
                        told.setdefault(number, when)
                if sent is None and receive.poll():
                    sent = receive.recv()
                time.sleep(0.0003)
            writer.join()
        finally:
            service.stop()
    times, lines, took = sent
    if missing := [n for n, _ in times if n not in told]:
        bench.fail(f'{len(missing)} of {len(times)} marked attacks were not told within a minute')
    return sorted((told[n] - when) * 1e3 for n, when in times), lines / took


def quantile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def measure(program, seconds=15, share=0.5):
    free = shutil.disk_usage(bench.CACHE).free
    text = bench.make_corpus('auth', bench.corpus_size(420, ['auth'], False), False)[0].read_bytes()
    if free < 4 * len(text):
        bench.say('There is little room on the disk; the steady load ends sooner.')
        text = text[:free // 8]
    full = full_load(program, text)
    rate = full * share * len(text) / text.count(b'\n')
    latencies, real = steady_load(program, text, rate, seconds)
    p50, p99 = quantile(latencies, 0.5), quantile(latencies, 0.99)
    bench.say(f'\nevent to alert in run: full load {full:,.0f} lines/s; at {real:,.0f} lines/s, {len(latencies)} attacks:')
    bench.say(f'  p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {latencies[-1]:.1f} ms, mean {statistics.mean(latencies):.1f} ms'
              f'    goal: p99 < {GOAL} ms at half load')
    return {'latency_ms': {'p50': p50, 'p99': p99, 'worst': latencies[-1]}, 'full_load': full, 'rate': real,
            'attacks': len(latencies)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--program', default=bench.BUILD / 'vedette', type=pathlib.Path)
    p.add_argument('--seconds', type=float, default=15)
    p.add_argument('--share', type=float, default=0.5, help='of full load (default 0.5)')
    options = p.parse_args()
    bench.CACHE.mkdir(parents=True, exist_ok=True)
    measure(options.program, options.seconds, options.share)


if __name__ == '__main__':
    main()
