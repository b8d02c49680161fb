#!/usr/bin/python3
"""The service: live gives what scan gives; kill -9 at any point changes nothing; the ledger balances."""
import json
import random
import shutil
import signal
import time

import harness as h

CONFIG = '''state: {dir}/state
lateness: 60s
sources:
  - {{name: siege, type: file, paths: [{dir}/logs], year: 2025}}
outputs:
  - {{name: out, type: file, path: {dir}/alerts.ndjson}}
'''
# Lines long after the siege: the watermark passes everything before them. As many as scan asks for to believe the jump.
CLOSING = [('auth.log', b'Dec  5 00:00:%02d web1 CRON[1]: (root) CMD (true)\n' % i) for i in range(20)] + [
    ('access.log', b'192.0.2.1 - - [05/Dec/2025:00:00:%02d +0000] "GET / HTTP/1.1" 304 0 "-" "-"\n' % i) for i in range(20)]
KILL_RUNS = int(__import__('os').environ.get('VEDETTE_KILL_RUNS', '3'))


def lines():
    """Lines of the siege's two logs, in the order of writing: (file, line)."""
    out = []
    for name in ('auth.log', 'access.log'):
        path = h.example('ssh-siege') / name
        for line in h.read_log(path).replace(b'/2026:', b'/2025:').splitlines(True):
            out.append((name, line))
    return out


def start(folder):
    server = h.Server([vedette, 'run', '--config', folder / 'vedette.yaml', '--checkpoint-every', '200ms'],
                      folder=folder)
    h.wait_for(lambda: h.status(folder) is not None or not server.alive(), what='the service answers')
    return server


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    (folder / 'logs').mkdir(parents=True)
    (folder / 'vedette.yaml').write_text(CONFIG.format(dir=folder))
    for name in ('auth.log', 'access.log'):
        (folder / 'logs' / name).write_bytes(b'')


def append(folder, chunk):
    for name in ('auth.log', 'access.log'):
        text = b''.join(l for n, l in chunk if n == name)
        if text:
            with open(folder / 'logs' / name, 'ab') as f:
                f.write(text)


def last_revisions(folder):
    """The last revision per alert, without what may differ between runs."""
    out = {}
    files = sorted(folder.glob('alerts.ndjson*'), key=lambda p: len(p.name), reverse=True)
    for path in files:
        for line in path.read_bytes().splitlines():
            alert = json.loads(line)
            out[alert['id']] = alert
    return {k: v for k, v in out.items() if v['status'] not in ('merged', 'withdrawn')}


def shape(alert, evidence_ids=True):
    a = dict(alert)
    a.pop('revision', None)
    a.pop('id', None)
    a['evidence'] = [{k: v for k, v in e.items() if evidence_ids or k != 'id'} for e in a['evidence']]
    return json.dumps(a, sort_keys=True)


def settled(folder, count):
    s = h.status(folder)
    return s is not None and s['ledger']['records'] >= count


def run(folder, everything, kills):
    """Writes all lines while the service runs; `kills`: after which line numbers it is killed."""
    fresh(folder)
    server = start(folder)
    rest = list(everything)
    done = 0
    while rest:
        n = min(len(rest), random.randint(10, 60))
        append(folder, rest[:n])
        rest = rest[n:]
        done += n
        if kills and done >= kills[0]:
            kills = kills[1:]
            time.sleep(random.random() * 0.3)
            server.kill()
            server = start(folder)
        time.sleep(0.01)
    append(folder, CLOSING)
    total = len(everything) + len(CLOSING)
    h.wait_for(lambda: settled(folder, total), timeout=30, what='all lines are read')
    time.sleep(0.5)
    s = h.status(folder)
    h.equal('the ledger counts every line once', s['ledger']['records'], total)
    h.check('the ledger balances', s['ledger'].get('balances', True))
    server.signal(signal.SIGTERM)
    h.wait_for(lambda: not server.alive(), what='a clean stop')
    return last_revisions(folder)


vedette = h.binary()
random.seed(int(__import__('os').environ.get('VEDETTE_SEED', '7')))
folder = h.temp() / 'case'
everything = lines()

undisturbed = run(folder, everything, [])
h.check('the undisturbed run has alerts', len(undisturbed) > 10, str(len(undisturbed)))
want = sorted(shape(a) for a in undisturbed.values())

scan = h.run([vedette, 'scan', '--json', '--year', 2025, '--lateness', '60s', folder / 'logs'], timeout=60)
from_scan = sorted(shape(json.loads(l), False) for l in scan.out.decode().splitlines())
closed = sorted(shape(a, False) for a in undisturbed.values())
h.same_set('live gives what scan gives', closed, from_scan)

for i in range(KILL_RUNS):
    points = sorted(random.sample(range(20, len(everything) - 20), 4))
    with_kills = run(folder, everything, points)
    h.same_set('killed after lines %s: the same last revisions' % points,
               sorted(shape(a) for a in with_kills.values()), want)

h.finish()
