#!/usr/bin/env python3
"""truth.py - what an auth.log holds, worked out the slow and obvious way.

Tests hold vedette against this. It shares nothing with the C++ code: one pass of regular expressions,
then every condition is judged by looking at all evidence of its key. Python 3.9+, standard library only.

  truth.py --year 2017 auth.log            all truths as one JSON object
  truth.py --year 2017 --brief auth.log    the numbers only

What is counted:
  failed password   `Failed password for [invalid user ]U from A port N`. `message repeated N times: [...]`
                    stands for N attempts at the time of its line.
  brute force       per address: at least 5 attempts within 60 s
  spray             per address: at least 5 different users within 300 s, over failed passwords and `Invalid user`
                    lines (who asks for many names and leaves before a password was tried sprays too); an empty
                    user is no value. `failed_only` is the same over failed passwords alone.
Episodes of both (growing conditions): the condition is judged at each evidence time t over (t-W, t]. An
episode opens at the least t at which it holds; it has that window's evidence, and all later evidence that
comes less than W after its last; it is cut at epoch multiples of 24 h after its opening, and what comes
next continues it (`continues: true`). A failure whose address is empty has no key: it is counted, not judged.

Years: a syslog stamp has none. The first line is of --year; whenever stamps fall back by more than 183 days
the year is one later. Zone: UTC.
"""
import argparse
import collections
import datetime
import gzip
import ipaddress
import json
import re
import sys

UTC = datetime.timezone.utc
MONTHS = {m: i for i, m in enumerate('Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(), 1)}
HALF_YEAR = 183 * 86400
DAY = 86400

LINE = re.compile(r'(?:<\d+>)?(?:(?P<mon>[A-Z][a-z]{2}) +(?P<day>\d+) (?P<clock>\d\d:\d\d:\d\d)|(?P<iso>\d{4}-\d\d-\d\dT\S+))'
                  r' (?P<host>\S+) (?P<program>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: ?(?P<message>.*)$', re.S)
REPEATED = re.compile(r'message repeated (\d+) times: \[ ?(.*)\]$', re.S)
FAILED = re.compile(r'Failed password for (?P<invalid>invalid user )?(?P<user>.*) from (?P<src>\S*) port (?P<port>\d+)(?: ssh\d)?$', re.S)
ACCEPTED = re.compile(r'Accepted (?P<method>\S+) for (?P<user>.*) from (?P<src>\S*) port (?P<port>\d+)(?: ssh\d)?(?:: .*)?$', re.S)
INVALID = re.compile(r'Invalid user (?P<user>.*) from (?P<src>\S*)(?: port \d+)?$', re.S)
SUDO = re.compile(r' *(?P<user>\S+) : (?P<head>.*?)COMMAND=(?P<command>.*)$', re.S)


def rfc3339(t):
    """Seconds since the epoch as RFC 3339 in UTC; microseconds only where there are any."""
    d = datetime.datetime.fromtimestamp(0, UTC) + datetime.timedelta(microseconds=round(t * 1e6))
    return d.isoformat().replace('+00:00', 'Z')


def canonical(address):
    """`::ffff:a.b.c.d` is `a.b.c.d`; what is no address stays as it is."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = getattr(ip, 'ipv4_mapped', None)
    return str(mapped or ip)


class Years:
    """Gives stamps without a year the one they belong to."""

    def __init__(self, year):
        self.year, self.last = year, None

    def time(self, month, day, clock):
        h, m, s = map(int, clock.split(':'))
        for _ in range(2):
            try:
                t = datetime.datetime(self.year, month, day, h, m, s, tzinfo=UTC).timestamp()
            except ValueError:      # 29 February in a year without one
                return None
            if self.last is None or self.last - t <= HALF_YEAR:
                break
            self.year += 1
        self.last = t
        return t


def parse(lines, year):
    """Yields (time, host, program, message, repeat) of every line that has a syslog header."""
    years = Years(year)
    for line in lines:
        m = LINE.match(line)
        if not m:
            continue
        if m['iso']:
            try:
                t = datetime.datetime.fromisoformat(m['iso'].replace('Z', '+00:00')).timestamp()
            except ValueError:
                continue
        else:
            if m['mon'] not in MONTHS:
                continue
            t = years.time(MONTHS[m['mon']], int(m['day']), m['clock'])
            if t is None:
                continue
        message, repeat = m['message'], 1
        r = REPEATED.match(message)
        if r:
            repeat, message = int(r[1]), r[2]
        yield t, m['host'], m['program'], message, repeat


def episodes(evidence, window, holds, cut=DAY):
    """The episodes of one key. evidence: list of (time, repeat, value); holds(list) judges one window."""
    evidence = sorted(evidence, key=lambda e: e[0])
    out, now = [], None
    i, begin = 0, 0
    while i < len(evidence):
        t = evidence[i][0]
        end = i
        while end < len(evidence) and evidence[end][0] == t:
            end += 1                                    # equal times are judged together
        same = evidence[i:end]
        if now and t - now['last'] >= window:
            now = None
        if now and t // cut != now['opened'] // cut:     # the episode crossed midnight: what follows is the next one
            now = dict(opened=t, first=t, last=t, evidence=list(same), continues=True)
            out.append(now)
        elif now:
            now['last'] = t
            now['evidence'] += same
        else:
            while evidence[begin][0] <= t - window:
                begin += 1
            held = evidence[begin:end]
            if holds(held):
                now = dict(opened=t, first=held[0][0], last=t, evidence=list(held), continues=False)
                out.append(now)
        i = end
    return out


def told(key, episode, distinct=False):
    out = dict(key=key, first=rfc3339(episode['first']), last=rfc3339(episode['last']), opened=rfc3339(episode['opened']),
               count=sum(e[1] for e in episode['evidence']), lines=len(episode['evidence']))
    if distinct:
        out['users'] = sorted({e[2] for e in episode['evidence']})
    if episode['continues']:
        out['continues'] = True
    return out


def at_least(bound):
    return lambda held: sum(e[1] for e in held) >= bound


def at_least_distinct(bound):
    return lambda held: len({e[2] for e in held}) >= bound


def truth(lines, year, bound=5, window=60, spray_bound=5, spray_window=300):
    failed = collections.defaultdict(list)              # address -> [(time, repeat, user)]
    asked = collections.defaultdict(list)               # the same of `Invalid user` lines
    accepted = collections.Counter()
    first_logins, sudo, sudo_users = {}, [], {}
    failed_lines = attempts = repeated_lines = invalid = no_key = total = invalid_attempts = 0
    for t, host, program, message, repeat in parse(lines, year):
        total += 1
        if program == 'sshd':
            m = FAILED.match(message)
            if m:
                failed_lines += 1
                attempts += repeat
                repeated_lines += repeat > 1
                invalid_attempts += repeat if m['invalid'] else 0
                if m['src']:
                    failed[canonical(m['src'])].append((t, repeat, m['user']))
                else:
                    no_key += repeat
                continue
            m = ACCEPTED.match(message)
            if m:
                accepted[m['method']] += repeat
                key = (m['user'], host)
                if key not in first_logins or t < first_logins[key][0]:
                    first_logins[key] = (t, canonical(m['src']), m['method'])
                continue
            m = INVALID.match(message)
            if m:
                invalid += repeat
                if m['src']:
                    asked[canonical(m['src'])].append((t, repeat, m['user']))
        elif program == 'sudo':
            m = SUDO.match(message)
            if m:
                target = re.search(r'USER=(\S+)', m['head'])
                sudo.append(dict(time=rfc3339(t), user=m['user'], target=target[1] if target else '', command=m['command'],
                                 refused=not m['head'].startswith('TTY=') and not m['head'].startswith('PWD=')))
                sudo_users.setdefault(m['user'], rfc3339(t))

    def sprays(*kinds):
        out = []
        for key in sorted(set().union(*kinds)):
            named = [e for kind in kinds for e in kind.get(key, []) if e[2]]
            out += [told(key, e, True) for e in episodes(named, spray_window, at_least_distinct(spray_bound))]
        return out

    brute, ignoring = [], 0
    for key, evidence in sorted(failed.items()):
        brute += [told(key, e) for e in episodes(evidence, window, at_least(bound))]
        ignoring += bool(episodes([(t, 1, u) for t, _, u in evidence], window, at_least(bound)))
    spray = sprays(failed, asked)
    return {
        'lines': total,
        'failed_password': {'lines': failed_lines, 'attempts': attempts, 'repeated_lines': repeated_lines,
                            'invalid_user_attempts': invalid_attempts, 'no_key': no_key, 'addresses': len(failed)},
        'accepted': {'total': sum(accepted.values()), **dict(sorted(accepted.items()))},
        'invalid_user': invalid,
        'brute_force': {'bound': bound, 'window': window, 'addresses': len({e['key'] for e in brute}),
                        'addresses_if_repeats_ignored': ignoring, 'episodes': brute},
        'spray': {'bound': spray_bound, 'window': spray_window, 'addresses': len({e['key'] for e in spray}), 'episodes': spray,
                  'failed_only': sprays(failed)},
        'first_logins': [dict(user=u, host=h, time=rfc3339(t), src_ip=a, method=m)
                         for (u, h), (t, a, m) in sorted(first_logins.items(), key=lambda x: (x[1][0], x[0]))],
        'sudo': {'commands': len(sudo), 'distinct_commands': len({s['command'] for s in sudo}), 'first_by_user': sudo_users, 'list': sudo},
    }


def read(path):
    if path == '-':
        data = sys.stdin.buffer.read()
    else:
        with (gzip.open if path.endswith('.gz') else open)(path, 'rb') as f:
            data = f.read()
    return [l.rstrip('\r') for l in data.decode('utf-8', 'surrogateescape').split('\n') if l]


def of_file(path, year, **kw):
    return truth(read(path), year, **kw)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('log')
    p.add_argument('--year', type=int, required=True)
    p.add_argument('--bound', type=int, default=5)
    p.add_argument('--window', type=float, default=60)
    p.add_argument('--spray-bound', type=int, default=5)
    p.add_argument('--spray-window', type=float, default=300)
    p.add_argument('--brief', action='store_true', help='numbers without the lists')
    a = p.parse_args()
    t = of_file(a.log, a.year, bound=a.bound, window=a.window, spray_bound=a.spray_bound, spray_window=a.spray_window)
    if a.brief:
        for kind in ('brute_force', 'spray'):
            t[kind]['episodes'] = len(t[kind]['episodes'])
        t['spray']['failed_only'] = len(t['spray']['failed_only'])
        t['first_logins'] = len(t['first_logins'])
        del t['sudo']['list']
    json.dump(t, sys.stdout, indent=1, sort_keys=True, ensure_ascii=True)
    print()


if __name__ == '__main__':
    main()
