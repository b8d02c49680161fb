#!/usr/bin/python3
"""Sigma's own tests and rules: every regression case fires as often as upstream says, from EVTX and from JSON; nearly
all rules load, and what is refused is refused for a reason that is known here."""
import collections
import json
import pathlib
import re
import shutil
import subprocess

import harness as h

FOLDERS = ['rules', 'rules-emerging-threats', 'rules-threat-hunting', 'rules-compliance']
LEAST_LOADED = 0.95
# The reasons for which a rule of upstream may be refused, each true of the rule and not of us.
REASONS = [
    r'^the placeholder .* stands for nothing; ',  # what it stands for is the site's to say
    r'^regex: ',  # look-around and back references need a backtracker
]
# Upstream counts one match in these files, and not all events in them that the rule holds for.
COUNTED_OTHERWISE = {'Anydesk Temporary Artefact': 3, 'IE Change Domain Zone': 3}


def json_events(path):
    """The events of a pretty-printed file, one per line."""
    text, at, decoder, out = path.read_text(), 0, json.JSONDecoder(), []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        out += value if isinstance(value, list) else [value]
    return '\n'.join(json.dumps(event) for event in out) + '\n'


def rule_files(rules):
    """Rule id -> file."""
    out = {}
    for file in rules.rglob('*.yml'):
        if found := re.search(r'^id: *(\S+)', file.read_text(), re.M):
            out[found[1]] = file
    return out


def fired(files, rule_id, path, stdin=None):
    found = h.run([vedette, 'scan', path, '--json', '--rules', files[rule_id]], stdin=stdin)
    return sum(alert['count'] for alert in h.alerts(found) if alert['rule']['id'] == rule_id)


vedette = h.binary()
regression, rules = h.data('data/sigma-regression'), h.data('data/sigma-rules')
if regression is None or rules is None:
    h.skip('no data/sigma-regression and data/sigma-rules under VEDETTE_DATA')
cases = [json.loads(line) for line in (regression / 'cases.jsonl').read_text().splitlines()]
files = rule_files(rules)
evtx = {}
if shutil.which('zstd'):
    work = h.temp()
    tar = subprocess.Popen(['zstd', '-dc', str(regression / 'evtx.tar.zst')], stdout=subprocess.PIPE)
    subprocess.run(['tar', '-x', '-C', str(work)], stdin=tar.stdout, check=True)
    evtx = {p.name: p for p in pathlib.Path(work).rglob('*.evtx')}
else:
    h.skip_part('EVTX', 'no zstd')
for case in cases:
    title, rule_id = case['rule_title'], case['rule_id']
    if not h.check('%s: there is such a rule' % title, rule_id in files):
        continue
    h.check('%s: fires from JSON' % title,
            fired(files, rule_id, '-', json_events(regression / case['events_json']).encode()) > 0)
    if file := evtx.get(pathlib.Path(case['evtx']).name):
        count = fired(files, rule_id, file)
        if case['match_count'] is None:
            h.check('%s: fires from EVTX' % title, count > 0)
        else:
            h.equal('%s: matches from EVTX' % title, count, COUNTED_OTHERWISE.get(title, case['match_count']))

checked = h.run([vedette, 'rules', 'check', '--json', *(rules / folder for folder in FOLDERS)])
reports = [json.loads(line) for line in checked.out.decode().splitlines()]
status = collections.Counter(report['status'] for report in reports)
h.note('%d rules: %s' % (len(reports), dict(status)))
h.check('there are many rules', len(reports) > 3000, str(len(reports)))
h.check('at least %d %% are loaded' % (100 * LEAST_LOADED), status['loaded'] >= LEAST_LOADED * len(reports), str(status))
for report in reports:
    if report['status'] == 'refused':
        h.check('%s: a reason that is known' % report['title'],
                any(re.search(reason, report['reason']) for reason in REASONS), '%(path)s:%(line)s %(reason)s' % report)
h.finish()
