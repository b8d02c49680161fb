#!/usr/bin/python3
"""EVTX files give the events that their JSON beside them (as another reader printed it) holds: every event, every field.

What the two readers write differently and means the same is made equal: GUIDs with or without braces, leading zeros of
hexadecimal numbers, 100 ns against microseconds, blanks at the end of texts (the JSON has lost them).
"""
import collections
import json
import pathlib
import re
import shutil
import subprocess

import harness as h


def plain(value):
    if value is None:
        return ''
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value).rstrip().replace('\r\n', '\n').replace('\r', '\n')
    if found := re.fullmatch(r'\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?', text):
        return found[1].lower()
    if found := re.fullmatch(r'0x0*([0-9a-fA-F]+)', text):
        return '0x' + found[1].lower()
    if found := re.fullmatch(r'(\d{4}-\d\d-\d\dT[\d:]+\.\d+)Z', text):
        return found[1][:26].rstrip('0') + 'Z'
    return text


def values(value):
    return [plain(v) for v in value] if isinstance(value, list) else plain(value)


def fields_of(event):
    """The names that Windows gives the fields of Event/System/EventData."""
    out = {}
    for name, value in event['System'].items():
        if not isinstance(value, dict):
            value = {'#text': value} if value is not None else {}
        for attribute, text in value.get('#attributes', {}).items():
            time = (name, attribute) == ('TimeCreated', 'SystemTime')
            out[name if time else name + '_' + attribute] = values(text)
        if '#text' in value:
            out[name] = values(value['#text'])

    def add(part, before=''):
        for name, value in (part or {}).items():
            if name == '#attributes':
                continue
            if isinstance(value, dict):
                if '#text' in value:
                    out[before + name] = values(value['#text'])
                add({n: v for n, v in value.items() if n != '#text'}, before + name + '.')
            else:
                out[before + name] = values(value)

    add(event.get('EventData'))
    for part in (event.get('UserData') or {}).values():
        add(part if isinstance(part, dict) else {})
    return out


def events_of(path):
    text, at, decoder, out = path.read_text(), 0, json.JSONDecoder(), []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        out += value if isinstance(value, list) else [value]
    return [fields_of(e['Event']) for e in out]


folder = h.data('data/sigma-regression')
if folder is None:
    h.skip('no data/sigma-regression under VEDETTE_DATA')
if not shutil.which('zstd'):
    h.skip('no zstd')
work = h.temp()
tar = subprocess.Popen(['zstd', '-dc', str(folder / 'evtx.tar.zst')], stdout=subprocess.PIPE)
subprocess.run(['tar', '-x', '-C', str(work)], stdin=tar.stdout, check=True)
found = {p.name: p for p in pathlib.Path(work).rglob('*.evtx')}
ran = h.run([h.binary(), 'decode', work])
h.equal('exit code', ran.code, 0)
all_events = collections.defaultdict(dict)
for event in map(json.loads, ran.out.decode().splitlines()):
    file = pathlib.Path(event['id'].partition('#')[0]).name
    all_events[file][plain(event['fields'].get('EventRecordID'))] = event
fields, wrong = 0, []
for case in map(json.loads, (folder / 'cases.jsonl').read_text().splitlines()):
    file = found[pathlib.Path(case['evtx']).name]
    ours = all_events[file.name]
    theirs = events_of(folder / case['events_json'])
    h.equal('%s: events' % file.name, len(ours), len(theirs))
    for event in theirs:
        mine = ours.get(event['EventRecordID'], {'fields': {}, 'type': 'none'})
        h.check('%s: %s has a type' % (file.name, event['EventRecordID']), mine['type'].startswith('windows/'), mine['type'])
        for name, value in event.items():
            fields += 1
            got = values(mine['fields'].get(name))
            if got != value:
                wrong.append((file.name, name, got, value))
h.equal('all fields are equal', wrong, [])
h.check('there were many', fields > 3000, str(fields))
h.finish()
