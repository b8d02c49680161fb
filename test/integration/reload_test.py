#!/usr/bin/python3
"""The service takes changed rules without restart and without losing state; what is broken changes nothing; drop: works."""
import json
import signal
import time

import harness as h

CONFIG = '''state: {dir}/state
lateness: 5s
sources:
  - {{name: auth, type: file, paths: [{dir}/logs], drop: [{{program: CRON}}]}}
outputs:
  - {{name: out, type: file, path: {dir}/alerts.ndjson}}
rules: {{paths: [default, {dir}/rules]}}
'''
RULE = '''title: Marked command
id: 11111111-2222-3333-4444-555555555555
logsource: {product: linux, service: sudo}
detection: {s: {command|contains: marked}, condition: s}
level: high
'''


def write(text):
    with open(folder / 'logs' / 'auth.log', 'a') as f:
        f.write('%s web1 %s\n' % (time.strftime('%b %e %H:%M:%S', time.gmtime()), text))


def failed(i):
    write('sshd[%d]: Failed password for root from 192.0.2.9 port 40%d ssh2' % (i, i))


def alerts(title):
    try:
        lines = open(folder / 'alerts.ndjson').read().splitlines()
    except FileNotFoundError:
        return []
    return [a for a in map(json.loads, lines) if a['rule']['title'] == title]


def status():
    return h.status(folder)


vedette = h.binary()
folder = h.temp()
(folder / 'logs').mkdir()
(folder / 'rules').mkdir()
(folder / 'logs' / 'auth.log').write_text('')
(folder / 'vedette.yaml').write_text(CONFIG.format(dir=folder))
server = h.Server([vedette, 'run', '--config', folder / 'vedette.yaml'], folder=folder)
h.wait_for(status, what='the service answers')

for i in (1, 2, 3):
    failed(i)
write('CRON[1]: (root) CMD (true)')
h.wait_for(lambda: alerts('Failed password'), what='the first alert')
h.wait_for(lambda: status()['ledger']['dropped'] == 1, what='the dropped line')
h.check('what is dropped is counted', True)

(folder / 'rules' / 'marked.yml').write_text(RULE)
h.wait_for(lambda: 'read again' in server.errors(), what='the new rule is taken')
h.wait_for(status, what='the service answers again')
for i in (4, 5):
    failed(i)
write('sudo:  bob : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/marked')
h.wait_for(lambda: alerts('Marked command'), what='an alert of the new rule')
h.check('the new rule works', True)
h.wait_for(lambda: alerts('Brute force from one address'), what='brute force over the reload')
h.equal('state is kept over the reload', alerts('Brute force from one address')[-1]['count'], 5)
h.equal('an alert keeps its id over the reload', len({a['id'] for a in alerts('Failed password')}), 1)

(folder / 'vedette.yaml').write_text('sources: [broken\n')
h.wait_for(lambda: 'the old configuration goes on' in server.errors(), what='the broken configuration is told')
(folder / 'vedette.yaml').write_text(CONFIG.format(dir=folder))
h.wait_for(status, what='the service answers after a broken configuration')
write('sudo:  bob : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/marked again')
h.wait_for(lambda: len(alerts('Marked command')) >= 2, what='an alert after the broken configuration')
h.check('a broken configuration stops nothing', server.alive())

second = h.run([vedette, 'run', '--config', folder / 'vedette.yaml'])
h.equal('a second service on the same state is refused', second.code, 1)
h.check('and says by whom', b'is used by another vedette (process' in second.err, second.err.decode())
server.signal(signal.SIGTERM)
h.wait_for(lambda: not server.alive(), what='a clean stop')
h.equal('it stops with 0', server.process.returncode, 0)
h.finish()
