#!/usr/bin/python3
"""A running service lists what it does not understand, by shape; a template made of the proposal's text is what decode --suggest prints."""
import json
import subprocess

import harness as h

LINES = ''.join('Mar 27 13:06:%02d gate doord[7]: badge %d of %s refused at gate-%d (192.0.2.%d:40%02d)\n' % (n, n, who, n, n, n)
                for n, who in enumerate(['alice', 'bob', 'carol', 'dave'], start=1)) + 'nobody knows this line\n' * 3
TEMPLATE = 'badge {field1:int} of {field2:word} refused at {field3:word} ({src_ip}:{src_port})'

KNOWS = """# doc: the door
program: ["@text"]
type: custom/door
templates:
  - match: "nobody knows this {what:word}"
    set: {action: alert}
    example: "nobody knows this line"
"""


def main():
    vedette = h.binary()
    folder = h.temp()
    (folder / 'door.log').write_text(LINES)
    (folder / 'vedette.yaml').write_text(
        'state: %s\nsources:\n  - {name: door, type: file, paths: [%s], from: start}\n' % (folder / 'state', folder / 'door.log'))

    proposed = h.run([vedette, 'decode', folder / 'door.log', '--suggest']).out.decode()
    h.check('decode --suggest proposes the template', "match: '%s'" % TEMPLATE in proposed, proposed)
    h.check('and says how much it covers', '4 lines (57.1 %)' in proposed, proposed)

    def run():
        service = subprocess.Popen([vedette, 'run', '--config', str(folder / 'vedette.yaml')],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        h.wait_for(lambda: (shapes() or {}).get('lines') == 7, what='the service has read all')
        return service

    def shapes():
        answer = h.run([vedette, 'status', '--config', folder / 'vedette.yaml'])
        return json.loads(answer.out)['not_understood'] if answer.code == 0 and answer.out else None

    expected = [(4, 'doord', TEMPLATE), (3, '@text', 'nobody knows this line')]
    for turn in ('of the service', 'after a restart, with nothing new to read'):
        service = run()
        try:
            found = shapes()
            h.equal('shapes ' + turn, [(s['lines'], s['program'], s['template']) for s in found['shapes']], expected)
            h.equal('kept lines ' + turn, (found['kept_lines'], found['kept_dropped']), (3, 0))
        finally:
            service.terminate()
            service.wait(20)

    again = h.run([vedette, 'decode', '--again', folder / 'state'])
    h.equal('nothing is understood that was not', (again.out, again.err), (b'', b'3 kept lines, 0 are understood now\n'))
    (folder / 'knows.yaml').write_text(KNOWS)
    again = h.run([vedette, 'decode', '--again', folder / 'state', '--decoders', folder / 'knows.yaml'])
    events = [json.loads(line) for line in again.out.splitlines()]
    first = LINES.index('nobody')
    h.equal('with a template they are', [(e['id'], e['type'], e['fields'].get('action')) for e in events],
            [('door/%s#0@%d' % (folder / 'door.log', first + n * len('nobody knows this line\n')), 'custom/door', 'alert') for n in range(3)])
    h.equal('and it says how many', again.err, b'3 kept lines, 3 are understood now\n')
    wrong = h.run([vedette, 'decode', '--again', folder])
    h.equal('a folder that keeps nothing is an error', wrong.code, 2)
    h.finish()


if __name__ == '__main__':
    main()
