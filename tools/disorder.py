#!/usr/bin/env python3
"""disorder.py - puts the lines of a log out of order, but no line behind another by more than a bound.

  disorder.py --by 60 --seed 1 auth.log > shuffled.log

A line of time t is moved to t + r, r drawn from [0, S). So whatever was written before a line is at most S
seconds younger than it (or as much younger as it was in the input already, if that is more): a program that
allows a lateness of S misses nothing. The result depends on the input and the seed only.

Time stamps: RFC 3164 (`Jan  1 00:00:00`, with or without PRI), RFC 5424 and ISO in front, access logs
(`[10/Oct/2000:13:55:36 -0700]`), JSON (--field, else the first of @timestamp, TimeCreated, SystemTime, UtcTime,
EventTime, eventTime, timestamp, time, ts that is there). A line without stamp (continuation, broken line) stays
behind the line before it. A syslog stamp has no year; it is told from the order of the input, so a log that
crosses New Year is shuffled rightly, but whoever reads it must be told its year with care.

Streaming: memory holds what lies within S seconds of the newest line, and one block.
"""
import argparse
import calendar
import gzip
import random
import re
import sys

MONTHS = {m.encode(): i for i, m in enumerate('Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(), 1)}
HALF_YEAR = 183 * 86400
BLOCK = 200000                      # lines between two sorts

SYSLOG = re.compile(rb'(?:<\d{1,3}>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)')
ISO = re.compile(rb'(?:<\d{1,3}>\d* ?)?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)([.,]\d+)?(Z|[+-]\d\d:?\d\d)?')
ACCESS = re.compile(rb'\[(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\]')
JSON_NAMES = ('@timestamp', 'TimeCreated', 'SystemTime', '@SystemTime', 'UtcTime', 'EventTime', 'eventTime', 'timestamp', 'time', 'ts')


class Stamps:
    """Seconds since the epoch of a line, or None. Whole seconds seen before are looked up, not computed."""

    def __init__(self, field=None):
        self.known = {}
        self.year, self.last = 1970, None
        names = (field,) if field else JSON_NAMES
        # Names in order of preference: the first name found wins, so one expression per name.
        self.json = [re.compile(rb'"' + re.escape(n.encode()) + rb'"\s*:\s*(?:\{[^{}]*?"@?SystemTime"\s*:\s*)?(?:"([^"]*)"|(\d+(?:\.\d+)?))') for n in names]
        self.favourite = None

    def __call__(self, line):
        first = line[:1]
        if first == b'{':
            return self.of_json(line)
        m = SYSLOG.match(line)
        if m:
            return self.of_syslog(m)
        m = ISO.match(line)
        if m:
            return self.of_iso(m)
        m = ACCESS.search(line, 0, 4096)
        return self.of_access(m) if m else None

    def of_syslog(self, m):
        key = m[0][-15:]
        within = self.known.get(key)
        if within is None:
            month, day, h, mi, s = m.groups()
            if month not in MONTHS:
                return None
            # Seconds within a leap year, so that 29 February has a place.
            within = calendar.timegm((1972, MONTHS[month], int(day), int(h), int(mi), int(s))) - 63072000
            self.known[key] = within
        t = within + (self.year - 1970) * 31622400
        if self.last is not None and self.last - t > HALF_YEAR:
            self.year += 1
            t += 31622400
        elif self.last is not None and t - self.last > HALF_YEAR and self.year > 1970:
            t -= 31622400                       # a straggler of December after New Year
            return t
        self.last = t
        return t

    def of_iso(self, m):
        date, clock, fraction, zone = m.groups()
        key = (date, clock, zone)
        t = self.known.get(key)
        if t is None:
            y, mo, d = map(int, date.split(b'-'))
            h, mi, s = map(int, clock.split(b':'))
            t = calendar.timegm((y, mo, d, h, mi, s))
            if zone and zone != b'Z':
                digits = zone[1:].replace(b':', b'')
                offset = int(digits[:2]) * 3600 + int(digits[2:]) * 60
                t += offset if zone[:1] == b'-' else -offset
            if len(self.known) > 1000000:
                self.known.clear()
            self.known[key] = t
        return t + float(b'0.' + fraction[1:]) if fraction else t

    def of_access(self, m):
        t = self.known.get(m[0])
        if t is None:
            day, month, year, h, mi, s, sign, zh, zm = m.groups()
            if month not in MONTHS:
                return None
            t = calendar.timegm((int(year), MONTHS[month], int(day), int(h), int(mi), int(s)))
            offset = int(zh) * 3600 + int(zm) * 60
            t += offset if sign == b'-' else -offset
            if len(self.known) > 1000000:
                self.known.clear()
            self.known[m[0]] = t
        return t

    def of_json(self, line):
        # The field that served for the last line mostly serves for this one; a preferred one that comes up takes over.
        for expression in self.json:
            m = expression.search(line)
            if not m:
                continue
            text, number = m.groups()
            if number:
                t = float(number)
                while t > 1e11:                 # milliseconds, microseconds, nanoseconds
                    t /= 1000.0
                return t
            iso = ISO.match(text)
            if iso:
                return self.of_iso(iso)
            msdate = re.match(rb'\\?/Date\((\d+)\)', text)
            if msdate:
                return int(msdate[1]) / 1000.0
        return None


def disorder(lines, write, by, seed=0, field=None, block=BLOCK):
    """lines: bytes each ending with a newline; write: takes bytes. Returns (lines, lines without stamp)."""
    stamp, draw = Stamps(field), random.Random(seed).random
    held, newest, count, without = [], None, 0, 0
    for line in lines:
        if not line.endswith(b'\n'):
            line += b'\n'
        count += 1
        t = stamp(line)
        if t is None:
            without += 1
            if held:
                key, n, text = held[-1]
                held[-1] = (key, n, text + line)
            else:
                write(line)
            continue
        if newest is None or t > newest:
            newest = t
        held.append((t + draw() * by, count, line))
        if count % block == 0:
            last = held[-1]                     # may still get continuation lines: stays, and stays last
            held.pop()
            held.sort()
            done = 0
            for done, entry in enumerate(held):
                if entry[0] > newest or entry > last:
                    break
            else:
                done = len(held)
            write(b''.join(e[2] for e in held[:done]))
            held = held[done:]
            held.append(last)
    held.sort()
    write(b''.join(e[2] for e in held))
    return count, without


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('log', help='file, gz file, or - for standard input')
    p.add_argument('--by', type=float, default=60, metavar='SECONDS', help='bound (default 60)')
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--field', help='JSON field that holds the time')
    a = p.parse_args()
    if a.log == '-':
        lines = sys.stdin.buffer
    else:
        lines = gzip.open(a.log, 'rb') if a.log.endswith('.gz') else open(a.log, 'rb', 1 << 20)
    count, without = disorder(lines, sys.stdout.buffer.write, a.by, a.seed, a.field)
    sys.stdout.buffer.flush()
    if without:
        sys.stderr.write('disorder.py: %d of %d lines have no stamp; they stayed behind the line before them\n' % (without, count))


if __name__ == '__main__':
    main()
