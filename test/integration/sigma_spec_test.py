#!/usr/bin/python3
"""What the JSON schemas of the Sigma specification call valid, and what becomes of it here: the specification's own
examples, and every rule of upstream. A rule that is valid and refused is refused for a reason that stands here."""
import json
import re

import harness as h

try:
    import jsonschema
    import yaml
except ImportError as e:
    h.skip('no %s for Python' % e.name)

FOLDERS = ['rules', 'rules-emerging-threats', 'rules-threat-hunting', 'rules-compliance']
SCHEMAS = {'correlation': 'sigma-correlation-rules-schema.json', 'filter': 'sigma-filters-schema.json',
           'detection': 'sigma-detection-rule-schema.json'}
# Valid by its schema, and refused here, on purpose.
REFUSED = [
    (r"the taxonomy 'ecs' is not known", 'we know the names of the default taxonomy only'),
    (r"value_percentile needs 'percentile'", 'the specification does not say which percentile its example means'),
    (r'^the placeholder .* stands for nothing; ', 'what it stands for is the site\'s to say'),
    (r'^regex: ', 'only what can be matched in linear time is'),
]


def schema_of(document):
    return next((name for name in SCHEMAS if name in document), 'detection')


def references(document):
    part = document.get('correlation') or document.get('filter') or {}
    return part.get('rules', [])


def stub(name):
    """A rule that an example of the specification speaks of and does not have."""
    key = 'id' if re.fullmatch(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', name) else 'name'
    logsource = {'category': 'process_creation', 'product': 'windows'}
    return {'title': 'Stub ' + name, key: name, 'logsource': logsource,
            'detection': {'s': {'EventID': 1}, 'condition': 's'}}


vedette = h.binary()
spec, rules = h.data('data/sigma-spec'), h.data('data/sigma-rules')
if spec is None or rules is None:
    h.skip('no data/sigma-spec and data/sigma-rules under VEDETTE_DATA')
validators = {name: jsonschema.Draft202012Validator(json.loads((spec / 'json-schema' / file).read_text()))
              for name, file in SCHEMAS.items()}


def is_valid(document):
    # YAML reads dates as dates, the schemas speak of texts.
    return validators[schema_of(document)].is_valid(json.loads(json.dumps(document, default=str)))


def explained(reason):
    return any(re.search(pattern, reason) for pattern, _ in REFUSED)


work = h.temp()
examples = sorted((spec / 'tests' / 'schema').rglob('*.yml'))
h.check('there are examples', len(examples) >= 10, str(len(examples)))
for example in examples:
    document = yaml.safe_load(example.read_text())
    name = '%s/%s' % (example.parent.name, example.stem)
    h.check(name + ': is valid', is_valid(document))
    folder = work / name
    folder.mkdir(parents=True)
    (folder / 'example.yml').write_text(example.read_text())
    (folder / 'stubs.yml').write_text(yaml.safe_dump_all(stub(r) for r in references(document)) or '# none\n')
    checked = h.run([vedette, 'rules', 'check', '--json', folder])
    reports = [json.loads(line) for line in checked.out.decode().splitlines()]
    for report in reports:
        if report['path'].endswith('example.yml') and report['status'] == 'refused':
            h.check(name + ': refused for a reason', explained(report['reason']), report['reason'])

valid = set()
for folder in FOLDERS:
    for file in (rules / folder).rglob('*.yml'):
        for document in yaml.safe_load_all(file.read_text()):
            if document and is_valid(document):
                valid.add(document.get('id'))
checked = h.run([vedette, 'rules', 'check', '--json', *(rules / folder for folder in FOLDERS)])
reports = [json.loads(line) for line in checked.out.decode().splitlines()]
refused = [r for r in reports if r['status'] == 'refused' and r['id'] in valid]
h.note('%d of %d rules are valid, %d of these refused' % (len(valid), len(reports), len(refused)))
h.check('many are valid', len(valid) > 3000, str(len(valid)))
for report in refused:
    h.check('%s: refused for a reason' % report['title'], explained(report['reason']), report['reason'])
h.finish()
