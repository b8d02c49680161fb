#!/usr/bin/python3
"""The shipped brute force and spray rules find in a real auth.log exactly what tools/truth.py finds: same key, first, last, count."""
import datetime
import re

import harness as h
import truth


def shipped(kind, word):
    """(id, bound, seconds) of the shipped correlation of this type over source addresses whose title or name has the word."""
    for path in sorted((h.ROOT / 'content' / 'rules').rglob('*.y*ml')):
        if '.test.' in path.name:
            continue
        for text in re.split(r'^---\s*$', path.read_text(), flags=re.M):
            said = ' '.join(re.findall(r'^(?:title|name):\s*(.*)$', text, re.M))
            if not re.search(r'^\s+type:\s*%s\s*$' % kind, text, re.M) or not re.search(word, said, re.I):
                continue
            if not re.search(r'\bsrc_ip\b', text):
                continue
            id_ = re.search(r'^id:\s*["\']?([^\s"\']+)', text, re.M)
            bound = re.search(r'\bgte:\s*(\d+)', text)
            span = re.search(r'\btimespan:\s*(\d+)([smhd])', text)
            if id_ and bound and span:
                return id_[1], int(bound[1]), int(span[1]) * dict(s=1, m=60, h=3600, d=86400)[span[2]]
    return None


def seconds(stamp):
    return datetime.datetime.fromisoformat(stamp.replace('Z', '+00:00')).timestamp()


def of_truth(episodes):
    return [(e['key'], seconds(e['first']), seconds(e['last']), e['count']) for e in episodes]


def of_alerts(alerts, rule):
    return [(truth.canonical(a['key']['src_ip']), seconds(a['first']), seconds(a['last']), a['count'])
            for a in alerts if a['rule']['id'] == rule]


def compare(name, log, year, numbers):
    found = h.run([vedette, 'scan', '--json', '--year', year, '--timezone', 'UTC', '--workers', 2, log])
    if not h.equal('%s: scan ends with 0' % name, found.code, 0):
        h.note(found.err.decode('utf-8', 'replace')[-2000:])
        return
    alerts = h.alerts(found)
    true = truth.of_file(str(log), year)
    for path, want in numbers.items():
        got = true
        for step in path.split('.'):
            got = got[step]
        h.equal('%s: truth.py: %s' % (name, path), got, want)

    h.check('%s: truth has brute force' % name, true['brute_force']['episodes'])
    h.same_set('%s: brute force episodes' % name, of_alerts(alerts, brute[0]), of_truth(true['brute_force']['episodes']))
    if spray:
        told = truth.of_file(str(log), year, spray_bound=spray[1], spray_window=spray[2])['spray']
        h.same_set('%s: spray episodes' % name, of_alerts(alerts, spray[0]), of_truth(told['episodes']))
    else:
        h.check('%s: a spray rule is shipped' % name, False, 'no value_count rule over src_ip with spray in its name')
    for a in alerts:
        if a['rule']['id'] == brute[0] and a['late']:
            h.check('%s: nothing is late' % name, False, repr(a['key']))


vedette = h.binary()
brute = shipped('event_count', r'brute')
spray = shipped('value_count', r'spray')
if not brute:
    h.check('a brute force rule is shipped', False, 'no event_count rule over src_ip with brute in its title or name in content/rules')
    h.finish()
h.equal('brute force is at least 5 within 60 s', brute[1:], (5, 60))

with h.part('ssh-siege'):
    compare('ssh-siege', h.example('ssh-siege/auth.log'), 2026, {})

with h.part('change'):
    compare('change', h.example('change/auth.log'), 2026, {'failed_password.attempts': 103, 'brute_force.addresses': 4})

real = h.data('data/elastic-examples/auth.log')
if real:
    with h.part('real host'):
        compare('real host', real, 2017, {
            'lines': 7121, 'failed_password.lines': 713, 'failed_password.attempts': 1038, 'failed_password.repeated_lines': 85,
            'accepted.total': 226, 'invalid_user': 178, 'brute_force.addresses': 101, 'brute_force.addresses_if_repeats_ignored': 45})
else:
    h.skip_part('real host', 'no data/elastic-examples/auth.log in $VEDETTE_DATA (default: ../shared beside the repository)')
h.finish()
