#!/usr/bin/python3
"""What `decode --as ecs` and `--as ocsf` print has only names of the official schemas, values of their types, and all that they require."""
import csv
import collections
import ipaddress
import json
import re
import tarfile

import harness as h

vedette = h.binary()
folder = h.data('data/ecs')
if not folder:
    h.skip('no real data: VEDETTE_DATA is not set')
data = folder.parent


def samples():
    """Lines of many kinds: our own goldens and real events."""
    lines = []
    for path in sorted((h.ROOT / 'test' / 'golden' / 'decode').rglob('*.in')):
        if 'hostile' not in path.name and path.stat().st_size < 100_000:
            lines += path.read_text(errors='replace').splitlines()
    lines += h.example('ssh-siege/auth.log').read_text().splitlines()[:400]
    for path in sorted((data / 'panther-tests').glob('*.jsonl')):
        lines += [json.dumps(json.loads(line)['log']) for line in path.read_text().splitlines()[:6]]
    return '\n'.join(line for line in lines if line) + '\n'


def decoded(view, text):
    found = h.run([vedette, 'decode', '-', '--as', view, '--year', '2026'], stdin=text.encode())
    h.equal('%s: decode ends with 0' % view, found.code, 0)
    return [json.loads(line) for line in found.out.decode().splitlines()]


# ------------------------------------------------------------------------------------------ ECS
TYPES = {}
with open(folder / 'fields.csv', newline='') as file:
    for row in csv.DictReader(file):
        TYPES[row['Field']] = row['Type']
ALLOWED = {
    'event.kind': 'alert asset enrichment event metric state pipeline_error signal',
    'event.outcome': 'failure success unknown',
    'event.category': 'api authentication configuration database driver email file host iam intrusion_detection library malware '
                      'network package process registry session threat vulnerability web',
    'event.type': 'access admin allowed change connection creation deletion denied device end error group indicator info '
                  'installation protocol start user',
}


def flat(value, path=''):
    for key, inner in value.items():
        name = path + key
        if isinstance(inner, dict) and name != 'labels':
            yield from flat(inner, name + '.')
        else:
            yield name, inner


def is_ip(text):
    try:
        ipaddress.ip_address(text.strip('[]').split('%')[0])
        return True
    except ValueError:
        return False


def fits(kind, value):
    if isinstance(value, list):
        return all(fits(kind, one) for one in value)
    if kind == 'long':
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == 'ip':
        return isinstance(value, str) and is_ip(value)
    if kind == 'date':
        return isinstance(value, str) and re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z', value)
    if kind in ('keyword', 'constant_keyword', 'wildcard', 'match_only_text', 'text'):
        return isinstance(value, str)
    return False


def ecs(text):
    wrong = collections.Counter()
    events = decoded('ecs', text)
    for event in events:
        for name, value in flat(event):
            if name == 'labels':
                ok = all(isinstance(one, str) or isinstance(one, list) for one in value.values()) and not any('.' in key for key in value)
            else:
                ok = name in TYPES and fits(TYPES[name], value)
            if name in ALLOWED:
                ok = ok and set(value if isinstance(value, list) else [value]) <= set(ALLOWED[name].split())
            if not ok:
                wrong['%s = %s' % (name, json.dumps(value)[:80])] += 1
        for name in ('@timestamp', 'ecs', 'event'):
            if name not in event:
                wrong['without ' + name] += 1
    h.check('ecs: %d events: every name is in the schema, with a value of its type' % len(events), events and not wrong,
            lambda: '\n'.join('%d %s' % (count, what) for what, count in wrong.most_common(30)))
    h.note('ecs: %d events checked' % len(events))


# ------------------------------------------------------------------------------------------ OCSF
class Ocsf:
    def __init__(self, path):
        self.files = {}
        with tarfile.open(path) as tar:
            for member in tar.getmembers():
                if member.name.endswith('.json'):
                    self.files[member.name.removeprefix('./')] = json.load(tar.extractfile(member))
        self.events, self.objects = {}, {}
        for name, content in self.files.items():
            kind = self.events if name.startswith('events/') else self.objects if name.startswith('objects/') else None
            if kind is not None:
                kind[content.get('name') or content.get('extends')] = content
        self.dictionary = json.loads((data / 'ocsf-schema' / 'dictionary.json').read_text())
        self.categories = json.loads((data / 'ocsf-schema' / 'categories.json').read_text())['attributes']
        self.classes = {0: 'base_event'}
        for name in self.events:
            category = self.inherited(name, 'category')
            if category in self.categories and self.events[name].get('uid'):
                self.classes[self.categories[category]['uid'] * 1000 + self.events[name]['uid']] = name

    def inherited(self, name, key):
        while name:
            if key in self.events[name]:
                return self.events[name][key]
            name = self.events[name].get('extends')

    def attributes(self, table, name):
        """Attributes with their requirement, and the constraints."""
        item, out, constraints = table[name], {}, {}
        parent = item.get('extends')
        if parent and parent != name and parent in table:
            out, constraints = self.attributes(table, parent)
        for key, value in item.get('attributes', {}).items():
            if key == '$include':
                for file in value if isinstance(value, list) else [value]:
                    for inner, described in self.files[file].get('attributes', {}).items():
                        if inner != '$include':
                            out.setdefault(inner, {}).update({**described, 'requirement': 'optional'})
            else:
                out[key] = {**out.get(key, {}), **value}
        return out, {**constraints, **item.get('constraints', {})}

    def check(self, value, table, name, where, wrong):
        attributes, constraints = self.attributes(table, name)
        for key, inner in value.items():
            if key not in attributes:
                wrong['%s%s is not in %s' % (where, key, name)] += 1
                continue
            self.check_value(key, attributes[key], inner, where, wrong)
        for key, described in attributes.items():
            if described.get('requirement') == 'required' and key not in value:
                wrong['%s%s is required in %s' % (where, key, name)] += 1
        one_of = constraints.get('at_least_one')
        if one_of and not any(key in value for key in one_of):
            wrong['%s%s: one of %s is required' % (where, name, ' '.join(one_of))] += 1

    def check_value(self, key, described, value, where, wrong):
        meaning = self.dictionary['attributes'].get(key, {})
        kind = described.get('object_type') or meaning.get('object_type')
        base = described.get('type') or meaning.get('type')
        if meaning.get('is_array'):
            if not isinstance(value, list):
                wrong['%s%s is no list' % (where, key)] += 1
            return
        if kind or base == 'object_t':
            if not isinstance(value, dict):
                wrong['%s%s is no object' % (where, key)] += 1
            elif kind and kind != 'object':
                self.check(value, self.objects, kind, where + key + '.', wrong)
            return
        number = base in ('integer_t', 'long_t', 'timestamp_t', 'port_t')
        if number != (isinstance(value, int) and not isinstance(value, bool)) or (base == 'ip_t' and not is_ip(value)):
            wrong['%s%s = %s is no %s' % (where, key, json.dumps(value)[:60], base)] += 1
        allowed = {**(meaning.get('enum') or {}), **(described.get('enum') or {})}
        if key.endswith('_id') and allowed and str(value) not in allowed:
            wrong['%s%s = %s is none of its values' % (where, key, value)] += 1


def ocsf(text):
    schema = Ocsf(data / 'ocsf-schema' / 'ocsf-schema.tar.gz')
    wrong, classes = collections.Counter(), collections.Counter()
    events = decoded('ocsf', text)
    for event in events:
        name = schema.classes.get(event.get('class_uid'))
        if not name:
            wrong['class_uid %s' % event.get('class_uid')] += 1
            continue
        classes[name] += 1
        if event['type_uid'] != event['class_uid'] * 100 + event['activity_id']:
            wrong['type_uid %s' % event['type_uid']] += 1
        if event['category_uid'] != event['class_uid'] // 1000:
            wrong['category_uid %s' % event['category_uid']] += 1
        schema.check(event, schema.events, name, name + ': ', wrong)
    h.check('ocsf: %d events: names, types and requirements of the schema' % len(events), events and not wrong,
            lambda: '\n'.join('%d %s' % (count, what) for what, count in wrong.most_common(30)))
    for name in ('authentication', 'http_activity', 'network_activity', 'api_activity', 'detection_finding', 'user_management'):
        h.check('ocsf: some events are %s' % name, classes[name])
    h.note('ocsf: ' + ', '.join('%s %d' % pair for pair in classes.most_common()))


text = samples()
with h.part('ecs'):
    ecs(text)
with h.part('ocsf'):
    ocsf(text)
h.finish()
