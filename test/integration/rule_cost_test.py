#!/usr/bin/python3
"""What rules cost is measured and told; one that is over its budget is named and, if so configured, set aside: visibly, and
over restarts, until configuration or rules change."""
import json
import signal

import harness as h

CONFIG = '''state: {dir}/state
sources:
  - {{name: app, type: file, paths: [{dir}/app.log]}}
rules: {{paths: [{dir}/rules], budget: 1, over_budget: {what}}}
'''
DEAR = '''title: Dear
id: 11111111-2222-3333-4444-555555555555
logsource: {product: linux, service: sshd}
detection: {s: {message|re: '(a|b|c)?x*[0-9]+z$'}, t: {message: null}, condition: not t and not s}
merge: {group-by: [src_ip], timespan: 1h}
'''
NEVER = '''title: Never looked at
id: 11111111-2222-3333-4444-666666666666
logsource: {product: linux, service: sshd}
detection: {s: {message|contains: nothing says this}, condition: s}
'''
LINES = 140_000            # one in 64 is sampled, and 2,000 samples are enough to judge


def status():
    r = h.run([vedette, 'status', '--config', folder / 'vedette.yaml'])
    return json.loads(r.out) if r.code == 0 else None


def start(what):
    (folder / 'vedette.yaml').write_text(CONFIG.format(dir=folder, what=what))
    return h.Server([vedette, 'run', '--config', folder / 'vedette.yaml'], folder=folder)


def stop(server):
    server.signal(signal.SIGTERM)
    h.wait_for(lambda: not server.alive(), what='a clean stop')


vedette = h.binary()
folder = h.temp()
(folder / 'rules').mkdir()
(folder / 'rules' / 'dear.yml').write_text(DEAR)
(folder / 'rules' / 'never.yml').write_text(NEVER)
line = 'Nov 22 11:34:37 web1 sshd[402]: Failed password for root from 192.0.2.7 port 37753 ssh2\n'
(folder / 'app.log').write_text(line * LINES)

r = h.run([vedette, 'rules', 'list', '--cost', folder / 'app.log', '--rules', folder / 'rules', '--json'])
h.equal('list --cost ends well', r.code, 0)
dear, never = [json.loads(x) for x in r.out.decode().splitlines()]
h.equal('the dearest comes first', (dear['title'], never['title']), ('Dear', 'Never looked at'))
h.equal('one event in 64 is sampled', dear['sampled_events'], LINES // 64)
h.equal('a rule without a necessary part is looked at every time', dear['looked_at_percent'], 100)
h.equal('and holds every time', dear['held_percent'], 100)
h.check('it takes time', dear['ns_per_event'] > 1, str(dear))
h.equal('a rule whose words never come is never looked at', (never['looked_at_percent'], never['ns_per_event']), (0, 0))

server = start('tell')
h.wait_for(lambda: (status() or {}).get('rules_over_budget'), what='the rule over budget in the status')
h.equal('the status names the rule', [x['title'] for x in status()['rules_over_budget']], ['Dear'])
h.equal('telling sets nothing aside', status()['rules_set_aside'], [])
stop(server)

with open(folder / 'app.log', 'a') as log:
    log.write(line * LINES)
server = start('set_aside')
h.wait_for(lambda: (status() or {}).get('rules_set_aside'), what='the rule set aside in the status')
h.equal('the status names what was set aside', status()['rules_set_aside'], ['11111111-2222-3333-4444-555555555555'])
h.check('it is said', "rule 'Dear' is over its budget and set aside" in server.errors(), server.errors())
h.check('it does not run', 'disabled' in server.errors() or not status()['rules_over_budget'])
logs = [p for p in (folder / 'state').iterdir() if p.name.startswith('control')]
h.check('the control log has it', any('rule_set_aside' in p.read_text() for p in logs), str(logs))
stop(server)
server = h.Server([vedette, 'run', '--config', folder / 'vedette.yaml'], folder=folder)
h.wait_for(status, what='the service answers again')
h.equal('a restart keeps it aside', status()['rules_set_aside'], ['11111111-2222-3333-4444-555555555555'])
stop(server)
(folder / 'rules' / 'dear.yml').write_text(DEAR.replace('x*', 'y*'))
server = h.Server([vedette, 'run', '--config', folder / 'vedette.yaml'], folder=folder)
h.wait_for(status, what='the service answers after the change')
h.equal('a changed rule gets another chance', status()['rules_set_aside'], [])
stop(server)
h.finish()
