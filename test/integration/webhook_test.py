#!/usr/bin/python3
"""Webhooks: signed, in order, down for a while, refused, killed and resumed; nothing lost, detection never waits."""
import hashlib
import hmac
import http.server
import json
import os
import random
import signal
import time

import harness as h

SECRET = 'integration secret'
CONFIG = '''state: {dir}/state
lateness: 60s
sources:
  - {{name: siege, type: file, paths: [{dir}/logs], year: 2025}}
outputs:
  - {{name: file, type: file, path: {dir}/alerts.ndjson}}
  - {{name: all, type: webhook, url: "{all}hook", secret: "${{env:HOOK_SECRET}}", timeout: 5s}}
  - {{name: high, type: webhook, url: "{high}high", min_level: high, rules: ["*force*", nothing]}}
'''
POINTS = [[60, 61, 150, 300, 420]]
if os.environ.get('VEDETTE_KILL_RUNS'):  # make soak
    POINTS += [sorted(random.sample(range(1, 500), 6)) for _ in range(int(os.environ['VEDETTE_KILL_RUNS']))]
# Later than the siege by far, so that all of it is final.
CLOSING = [b'Dec  5 00:00:%02d web1 CRON[1]: (root) CMD (true)\n' % i for i in range(20)]


def siege():
    return h.read_log(h.example('ssh-siege/auth.log')).splitlines(True)


class Case:
    def __init__(self, all_, high):
        self.folder = h.temp() / 'case'
        (self.folder / 'logs').mkdir(parents=True)
        self.log = self.folder / 'logs' / 'auth.log'
        self.log.write_bytes(b'')
        (self.folder / 'vedette.yaml').write_text(CONFIG.format(dir=self.folder, all=all_.url, high=high.url))
        self.server = None

    def start(self):
        self.server = h.Server([vedette, 'run', '--config', self.folder / 'vedette.yaml', '--checkpoint-every', '300ms'],
                               folder=self.folder, env={'HOOK_SECRET': SECRET})
        h.wait_for(lambda: self.status() is not None or not self.server.alive(), what='the service answers')
        if not self.server.alive():
            h.check('the service starts', False, self.server.errors())

    def status(self):
        return h.status(self.folder, {'HOOK_SECRET': SECRET})

    def write(self, lines):
        with open(self.log, 'ab') as f:
            f.write(b''.join(lines))

    def read(self, records):
        h.wait_for(lambda: (self.status() or {'ledger': {'records': 0}})['ledger']['records'] >= records, what='%d lines are read' % records)

    def lines(self):
        path = self.folder / 'alerts.ndjson'
        return path.read_bytes().splitlines() if path.exists() else []

    def stop(self):
        self.server.signal(signal.SIGTERM)
        h.wait_for(lambda: not self.server.alive(), what='a clean stop')


def wait_for_all(case, receiver, timeout=30):
    """Until the webhook was given every line that the file has."""
    def same():
        return set(case.lines()) <= {p.body for p in receiver.accepted()}
    try:
        h.wait_for(same, timeout=timeout, step=0.1)
    except TimeoutError:
        pass
    return same()


def check_posts(what, receiver, secret):
    posts = receiver.accepted()
    h.check('%s: there are posts' % what, posts)
    seen = {}
    wrong, changed, order = 0, 0, 0
    for p in posts:
        headers = {k.lower(): v for k, v in p.headers.items()}
        alert = json.loads(p.body)
        signature = 'sha256=' + hmac.new(SECRET.encode(), p.body, hashlib.sha256).hexdigest()
        good = headers.get('content-type') == 'application/json' and headers.get('x-vedette-id') == alert['id'] and \
            headers.get('x-vedette-revision') == str(alert['revision']) and \
            headers.get('x-vedette-signature') == (signature if secret else None)
        wrong += not good
        key = (alert['id'], alert['revision'])
        changed += key in seen and seen[key] != p.body
        order += alert['revision'] > 1 and (alert['id'], alert['revision'] - 1) not in seen
        seen[key] = p.body
    h.equal('%s: posts with wrong headers' % what, wrong, 0)
    h.equal('%s: the same id and revision with another body' % what, changed, 0)
    h.equal('%s: revisions that came before the one before' % what, order, 0)
    return seen


def undisturbed(lines):
    """Down at first; then it refuses some; all arrives, and the file never waited."""
    hook, high = h.Receiver(), h.Receiver()
    hook.down()
    case = Case(hook, high)
    case.start()
    case.write(lines)
    case.read(len(lines))
    h.wait_for(lambda: len(case.lines()) > 10, what='alerts in the file while the webhook is down')
    status = {o['name']: o for o in case.status()['outputs']}
    h.check('status names the failing output', status['all']['failed_attempts'] > 0 and status['all']['waiting'] > 0 and
            'cannot reach' in status['all']['last_error'], repr(status['all']))
    refused = {2: 500, 4: 404, 5: None}
    hook.status = lambda n, _: refused.get(n, 204)
    hook.up()
    case.write(CLOSING)
    case.read(len(lines) + len(CLOSING))
    h.check('undisturbed: all arrives', wait_for_all(case, hook, 60))
    case.stop()
    seen = check_posts('undisturbed', hook, True)
    h.equal('undisturbed: nothing twice but what was refused', len(hook.accepted()), len(seen))
    h.equal('undisturbed: refused ones were tried', [p.status for p in hook.posts[2:6] if p.status not in (204, 200)], [500, 404, None])
    h.equal('undisturbed: what the file has', set(case.lines()), set(seen.values()))
    of_high = check_posts('routed', high, False)
    rules = {json.loads(b)['rule']['title']: json.loads(b)['rule']['level'] for b in of_high.values()}
    h.check('routed by level and title', rules and all('force' in t.lower() and l in ('high', 'critical') for t, l in rules.items()), repr(rules))
    return case.lines()


def killed(lines, points):
    """kill -9 while posting: the rest comes after the restart; a pair of id and revision never changes its body."""
    hook, high = h.Receiver(delay=0.01), h.Receiver()
    case = Case(hook, high)
    case.start()
    done = 0
    for point in points + [len(lines)]:
        case.write(lines[done:point])
        done = point
        if point == len(lines):
            break
        # Somewhere between reading, publishing and delivering; a start that is stopped at once is one of the points.
        time.sleep((point % 7) * 0.05)
        case.server.kill()
        case.start()
    case.write(CLOSING)
    case.read(len(lines) + len(CLOSING))
    h.check('killed: all arrives', wait_for_all(case, hook))
    case.stop()
    seen = check_posts('killed', hook, True)
    h.equal('killed: what the file has', set(case.lines()), set(seen.values()))
    h.equal('killed: the file has no line twice', len(case.lines()), len(set(case.lines())))
    return case.lines()


def last(lines):
    """The last revision of each alert that stands, without what counts publication."""
    out = {}
    for line in lines:
        alert = json.loads(line)
        for e in alert['evidence']:
            e.pop('id')  # names the folder
        out[alert['id']] = alert
    return sorted(json.dumps({k: v for k, v in a.items() if k not in ('id', 'revision')}, sort_keys=True)
                  for a in out.values() if a['status'] not in ('merged', 'withdrawn'))


http.server.ThreadingHTTPServer.handle_error = lambda *_: None  # a client that is killed is no news
vedette = h.binary()
lines = siege()
with h.part('undisturbed'):
    base = undisturbed(lines)
    for points in POINTS:
        with h.part('killed'):
            got = killed(lines, points)
            h.same_set('killed after lines %s: the same last revisions' % points, last(got), last(base))
h.finish()
