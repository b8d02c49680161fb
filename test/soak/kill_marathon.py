#!/usr/bin/python3
"""A large mixed corpus through `run` with kill -9 every few seconds: the ledger balances, alerts equal an undisturbed run.

VEDETTE_SOAK_MB (1000) megabytes; needs the corpus maker beside the real data, else it is SKIPPED."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'integration'))
import harness as h

MB = int(os.environ.get('VEDETTE_SOAK_MB', '1000'))
MODES = {'auth.log': ('authlog', 45), 'access.log': ('weblog', 35), 'windows.jsonl': ('windows', 20)}
CONFIG = '''state: {dir}/state
lateness: 60s
sources:
  - {{name: mixed, type: file, paths: [{dir}/logs], year: 2026}}
outputs:
  - {{name: out, type: file, path: {dir}/alerts.ndjson, max_size: 64GiB}}
'''


def start(folder):
    return h.Server([vedette, 'run', '--config', folder / 'vedette.yaml', '--checkpoint-every', '2s'], folder=folder)


def run(folder, kill):
    """The whole corpus through the service; returns the last revisions and how often it was killed."""
    shutil.rmtree(folder / 'state', ignore_errors=True)
    for old in folder.glob('alerts.ndjson*'):
        old.unlink()
    server, kills = start(folder), 0
    deadline = time.monotonic() + 3600
    while time.monotonic() < deadline:
        time.sleep(random.uniform(2, 5) if kill else 1)
        s = h.status(folder)
        if s is not None and s['ledger']['records'] >= records:
            break
        if kill:
            server.kill()
            kills += 1
            server = start(folder)
    s = h.wait_for(lambda: h.status(folder), what='status')
    h.equal('every record is in the ledger once', s['ledger']['records'], records)
    server.signal(signal.SIGTERM)
    h.wait_for(lambda: not server.alive(), timeout=60, what='a clean stop')
    last = {}
    for line in open(folder / 'alerts.ndjson', 'rb'):
        alert = json.loads(line)
        last[alert['id']] = alert
    out = []
    for alert in last.values():
        if alert['status'] not in ('merged', 'withdrawn'):
            alert.pop('revision'), alert.pop('id')
            out.append(json.dumps(alert, sort_keys=True))
    return sorted(out), kills


vedette = h.binary()
maker = h.data('tools/make_corpus.py')
if maker is None:
    h.skip('no corpus maker under VEDETTE_DATA')
random.seed(int(os.environ.get('VEDETTE_SEED', '1')))
folder = h.temp() / 'case'
(folder / 'logs').mkdir(parents=True)
(folder / 'vedette.yaml').write_text(CONFIG.format(dir=folder))
records = 0
for name, (mode, share) in MODES.items():
    with open(folder / 'logs' / name, 'wb') as f:
        subprocess.run([sys.executable, maker, '--mode', mode, '--mb', str(MB * share // 100)], stdout=f, check=True)
    records += sum(block.count(b'\n') for block in iter(open(folder / 'logs' / name, 'rb').read1, b''))
want, _ = run(folder, False)
h.check('the undisturbed run has alerts', len(want) > 100, str(len(want)))
got, kills = run(folder, True)
h.check('it was killed at least three times', kills >= 3, str(kills))
h.same_set('after %d kills: the same last revisions' % kills, got, want)
h.finish()
