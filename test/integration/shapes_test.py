#!/usr/bin/python3
"""A running service lists what it does not understand, by shape; a template made of the proposal's text is what decode --suggest prints."""
import json
import subprocess

import harness as h

LINES = ''.join('Mar 27 13:06:%02d gate doord[7]: badge %d of %s refused at gate-%d (192.0.2.%d:40%02d)\n' % (n, n, who, n, n, n)
                for n, who in enumerate(['alice', 'bob', 'carol', 'dave'], start=1)) + 'nobody knows this line\n' * 3
TEMPLATE = 'badge {field1:int} of {field2:word} refused at {field3:word} ({src_ip}:{src_port})'


def main():
    vedette = h.binary()
    folder = h.temp()
    (folder / 'door.log').write_text(LINES)
    (folder / 'vedette.yaml').write_text(
        'state: %s\nsources:\n  - {name: door, type: file, paths: [%s], from: start}\n' % (folder / 'state', folder / 'door.log'))

    proposed = h.run([vedette, 'decode', folder / 'door.log', '--suggest']).out.decode()
    h.check('decode --suggest proposes the template', "match: '%s'" % TEMPLATE in proposed, proposed)
    h.check('and says how much it covers', '4 lines (57.1 %)' in proposed, proposed)

    def shapes():
        answer = h.run([vedette, 'status', '--config', folder / 'vedette.yaml'])
        return json.loads(answer.out)['not_understood'] if answer.code == 0 and answer.out else None

    service = subprocess.Popen([vedette, 'run', '--config', str(folder / 'vedette.yaml')],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        h.wait_for(lambda: (shapes() or {}).get('lines') == 7, what='the service has read all')
        found = shapes() or {'shapes': []}
        h.equal('shapes of the service', [(s['lines'], s['program'], s['template']) for s in found['shapes']],
                [(4, 'doord', TEMPLATE), (3, '@text', 'nobody knows this line')])
    finally:
        service.terminate()
        service.wait(20)
    h.finish()


if __name__ == '__main__':
    main()
