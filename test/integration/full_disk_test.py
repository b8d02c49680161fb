#!/usr/bin/python3
"""A disk that takes no more: the http source answers 503 and keeps what it acknowledged; with room again it takes everything.

The full disk is a bound on the size of the service's files, set and lifted while it runs."""
import json
import resource
import time

import harness as h

SMALL = 64 << 10
PAD = 'x' * 2000


def curl(url, body):
    r = h.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '20', '--data-binary', '@-', url], stdin=body)
    return int(r.out or b'0')


def event(n):
    return json.dumps({'ts': 1700000000 + n, 'uid': 'C%d' % n, 'conn_state': 'SF', 'id.orig_h': '192.0.2.7', 'pad': PAD}).encode() + b'\n'


def bound(pid, size):
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def main():
    vedette, folder, port = h.binary(), h.temp(), h.free_port()
    url = 'http://127.0.0.1:%d/ingest' % port
    (folder / 'vedette.yaml').write_text(
        'state: %s/state\nsources:\n  - {name: collect, type: http, listen: "http://127.0.0.1:%d", anonymous: true}\n' % (folder, port))
    run = ['sh', '-c', 'trap "" XFSZ; exec "$0" "$@"', vedette, 'run', '--config', folder / 'vedette.yaml']  # writing fails, no signal

    def status():
        r = h.run([vedette, 'status', '--config', folder / 'vedette.yaml'])
        try:
            return json.loads(r.out) if r.code == 0 else None
        except ValueError:
            return None

    def events():
        found = status()
        return found['ledger']['events'] if found else -1

    server = h.Server(run, folder=folder)
    h.wait_for(lambda: status() is not None or not server.alive(), what='the service answers')
    h.check('the service lives', server.alive(), server.errors())
    h.equal('there is room', curl(url, event(0)), 200)

    bound(server.pid, SMALL)
    codes, taken = [], 1
    for n in range(1, 3 * SMALL // len(PAD)):
        codes.append(curl(url, event(n)))
        taken += codes[-1] == 200
        if codes[-1] != 200:
            break
    h.check('some are taken, then the answer is 503', codes[-1:] == [503] and codes[0] == 200, str(codes))
    h.equal('... again and again', {curl(url, event(1000)) for _ in range(5)}, {503})
    h.check('the service goes on', server.alive(), server.errors())
    h.wait_for(lambda: events() == taken, what='all that was acknowledged is read, no more: %d, %d' % (events(), taken))

    bound(server.pid, resource.RLIM_INFINITY)
    end = time.monotonic() + 30
    while (code := curl(url, event(2000))) != 200 and time.monotonic() < end:
        time.sleep(0.5)
    h.equal('with room again it is taken', code, 200)
    h.wait_for(lambda: events() == taken + 1, what='and read')
    server.kill()
    server = h.Server(run, folder=folder)
    h.wait_for(lambda: events() == taken + 1, what='after kill -9 nothing is missing and nothing double')
    h.equal('a clean stop', server.stop(), 0)
    h.finish()


if __name__ == '__main__':
    main()
