#!/usr/bin/python3
"""Sources that fetch by themselves, with the real thing: a command, a drop folder, a systemd journal, an audit API. kill -9 in between."""
import collections
import contextlib
import http.server
import json
import pathlib
import signal
import threading
import time
import urllib.parse

import harness as h


class Case:
    """A service with one source; what it has read is asked for by `vedette status`, alerts go to a file."""

    def __init__(self, name, source, env=None):
        self.folder = h.temp() / name
        self.folder.mkdir()
        self.env, self.server = env or {}, None
        config = {'state': str(self.folder / 'state'), 'sources': [source],
                  'rules': {'paths': ['default']},
                  'outputs': [{'name': 'file', 'type': 'file', 'path': str(self.folder / 'alerts.ndjson')}]}
        (self.folder / 'vedette.yaml').write_text(json.dumps(config))

    def start(self):
        self.server = h.Server([vedette, 'run', '--config', self.folder / 'vedette.yaml', '--checkpoint-every', '200ms'],
                               folder=self.folder, env=self.env)
        h.wait_for(lambda: self.status() is not None or not self.server.alive(), what='the service answers')
        if not self.server.alive():
            h.check('the service starts', False, self.server.errors())

    def status(self):
        return h.status(self.folder, self.env)

    def records(self):
        return (self.status() or {'ledger': {'records': 0}})['ledger']['records']

    def read(self, count, timeout=30):
        try:
            h.wait_for(lambda: self.records() >= count, timeout=timeout, what='%d records are read' % count)
        except TimeoutError:
            pass
        return self.records()

    def kill(self):
        self.server.kill()

    def stop(self):
        self.server.signal(signal.SIGTERM)
        h.wait_for(lambda: not self.server.alive(), what='a clean stop')

    def alerts(self):
        path = self.folder / 'alerts.ndjson'
        return [json.loads(l) for l in path.read_bytes().splitlines()] if path.exists() else []


def failures(n, address='203.0.113.9'):
    stamp = time.strftime('%b %e %H:%M:%S', time.gmtime())
    return ['%s web1 sshd[%d]: Failed password for root from %s port %d ssh2' % (stamp, 100 + i, address, 1024 + i)
            for i in range(n)]


def command():
    """A command's lines raise an alert; it is killed with the service, its lines are read once."""
    folder = h.temp()
    (folder / 'lines').write_text('\n'.join(failures(40)) + '\n')
    script = 'cat %s; echo warned >&2; touch %s; exec sleep 1000' % (folder / 'lines', folder / 'ran')
    case = Case('exec', {'name': 'cmd', 'type': 'exec', 'command': ['sh', '-c', 'test -e %s || { %s; }' % (folder / 'ran', script)],
                         'interval': '300ms', 'timeout': '0s'})
    case.start()
    h.equal('exec: all lines are read', case.read(40), 40)
    h.wait_for(lambda: case.alerts(), what='an alert')
    case.kill()
    case.start()
    h.equal('exec: after kill -9 nothing is read twice', case.read(40), 40)
    time.sleep(0.5)
    h.equal('exec: still 40', case.records(), 40)
    case.stop()
    said = case.server.errors()
    h.check('exec: stderr is told by the first run only', 'warned' not in said, said)


def dropped():
    """Files dropped into a folder are read once and are gone when they are in a checkpoint; kill -9 in between."""
    folder = h.temp()
    for name in ('in', 'done', 'making'):
        (folder / name).mkdir()
    case = Case('dir', {'name': 'drop', 'type': 'dir', 'path': str(folder / 'in'), 'settle': '100ms', 'after': 'move',
                        'move_to': str(folder / 'done')})
    case.start()
    files = 0

    def drop(count):
        nonlocal files
        for _ in range(count):
            made = folder / 'making' / ('f%d.log' % files)
            made.write_text('\n'.join(failures(10, '203.0.113.%d' % (files % 250))) + '\n')
            made.rename(folder / 'in' / made.name)
            files += 1

    for _ in range(3):
        drop(8)
        time.sleep(0.3)
        case.kill()
        drop(2)
        case.start()
    h.equal('dir: nothing lost, nothing twice', case.read(10 * files), 10 * files)
    h.wait_for(lambda: not list((folder / 'in').iterdir()), what='the files to be moved')
    h.equal('dir: all are moved', len(list((folder / 'done').iterdir())), files)
    h.equal('dir: still', case.records(), 10 * files)
    case.stop()


def silence():
    """A source that goes quiet raises an alert, which is closed when it speaks again; also over kill -9."""
    folder = h.temp()
    log = folder / 'auth.log'
    log.write_text('\n'.join(failures(3)) + '\n')
    case = Case('silence', {'name': 'auth', 'type': 'file', 'paths': [str(log)], 'silence': '1s'})
    case.start()
    case.read(3)
    quiet = lambda: [a for a in case.alerts() if a['rule']['id'] == 'vedette.source-silent']
    h.wait_for(quiet, what='the alert of silence')
    told = quiet()[0]
    h.equal('silence: the alert', (told['key'], told['status'], told['revision']), ({'source': 'auth'}, 'open', 1))
    source = case.status()['sources'][0]
    h.check('silence: status', source['silent'] and source['records'] == 3 and source['name'] == 'auth' and source['type'] == 'file' and
            source['silent_after'] == '1s', repr(source))
    case.kill()
    case.start()
    time.sleep(2.5)
    h.equal('silence: not told again after kill -9', len({a['id'] for a in quiet()}), 1)
    with open(log, 'a') as f:
        f.write(failures(1)[0] + '\n')
    h.wait_for(lambda: any(a['status'] == 'closed' for a in quiet()), what='the end of silence')
    closed = next(a for a in quiet() if a['status'] == 'closed')
    h.equal('silence: closed under its id', (closed['id'], closed['revision']), (told['id'], 2))
    control = ''.join(p.read_text() for p in (case.folder / 'state').glob('control*'))
    h.check('silence: decided by wall time, so it is in the control log', '"silent"' in control and '"heard_again"' in control, control)
    case.stop()


def journal_entries(first, count):
    lines = failures(count)
    return b''.join(b'__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=6c6c1f7f0a6b4b6f9d0f5a0c8f0d3c11\n'
                    b'SYSLOG_IDENTIFIER=sshd\n_TRANSPORT=syslog\nMESSAGE=%s\n\n'
                    % (int(time.time() * 1e6) + i, (first + i) * 1000000, line.split(': ', 1)[1].encode())
                    for i, line in enumerate(lines))


def journald():
    maker = pathlib.Path('/lib/systemd/systemd-journal-remote')
    if not maker.exists():
        return h.skip_part('journald', 'there is no systemd-journal-remote')
    folder = h.temp()
    (folder / 'journal').mkdir()

    def add(first, count):
        r = h.run([maker, '--output=%s' % (folder / 'journal' / 'remote.journal'), '-'], stdin=journal_entries(first, count))
        h.check('the journal is written', r.code == 0, r.err)

    add(0, 20)
    case = Case('journald', {'name': 'journal', 'type': 'journald', 'paths': [str(folder / 'journal')]})
    case.start()
    h.equal('journald: what was there', case.read(20), 20)
    add(20, 5)
    h.equal('journald: what comes', case.read(25), 25)
    time.sleep(0.5)
    case.kill()
    add(25, 5)
    case.start()
    h.equal('journald: on behind the cursor after kill -9', case.read(30), 30)
    time.sleep(0.3)
    h.equal('journald: nothing twice', case.records(), 30)
    case.stop()
    said = case.server.errors()
    h.check('journald: no complaints', 'gone' not in said and 'cannot' not in said, said)


class AuditApi:
    """An audit log as Okta gives it: pages by Link header, a token, a rate limit, errors now and then."""

    def __init__(self, token):
        self.token, self.items, self.requests, self.refused = token, [], [], collections.Counter()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                api.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = 'http://127.0.0.1:%d' % self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs=dict(poll_interval=0.02), daemon=True).start()

    def answer(self, handler):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlparse(handler.path).query))
        self.requests.append(query)
        n = len(self.requests)
        if handler.headers.get('Authorization') != 'SSWS ' + self.token:
            return self.send(handler, 401, {}, {'errorSummary': 'Invalid token provided'})
        if n % 7 == 3:
            self.refused[429] += 1
            return self.send(handler, 429, {'X-Rate-Limit-Remaining': '0', 'X-Rate-Limit-Reset': str(int(time.time()) + 1)}, {})
        if n % 7 == 5:
            self.refused[500] += 1
            return self.send(handler, 500, {}, {'errorSummary': 'Internal Server Error'})
        at = int(query.get('after', 0))
        page = self.items[at:at + 10]
        links = '<%s/api/v1/logs?since=x>; rel="self", <%s/api/v1/logs?after=%d>; rel="next"' % (self.url, self.url, at + len(page))
        self.send(handler, 200, {'Link': links}, page)

    @staticmethod
    def send(handler, status, headers, value):
        body = json.dumps(value, indent=1).encode()
        handler.send_response(status)
        for k, v in headers.items():
            handler.send_header(k, v)
        handler.send_header('Content-Type', 'application/json')
        handler.send_header('Content-Length', str(len(body)))
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(body)


def api():
    server = AuditApi('a secret token')
    event = 0

    def happen(count):
        nonlocal event
        for _ in range(count):
            event += 1
            server.items.append({'uuid': 'event-%d' % event, 'published': time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime()),
                                 'eventType': 'user.session.start', 'outcome': {'result': 'FAILURE'},
                                 'client': {'ipAddress': '203.0.113.9'}, 'actor': {'alternateId': 'bob@example.com'}})

    happen(35)
    case = Case('poll', {'name': 'okta', 'type': 'poll', 'url': server.url + '/api/v1/logs?since={since}', 'next': 'link',
                         'headers': ['Authorization: SSWS ${env:API_TOKEN}'], 'interval': '200ms', 'rate': 6000},
                env={'API_TOKEN': 'a secret token'})
    case.start()
    h.equal('poll: all pages are read', case.read(35), 35)
    h.check('poll: first from `start`', 'since' in server.requests[0] and server.requests[0]['since'].endswith('Z'), server.requests[0])
    for _ in range(4):  # killed at any moment
        happen(25)
        time.sleep(0.35)
        case.kill()
        happen(5)
        case.start()
    h.equal('poll: nothing lost, nothing twice', case.read(event), event)
    h.wait_for(lambda: 'asks to wait' in case.server.errors(), what='refusals to be told')
    h.equal('poll: still', case.records(), event)
    case.stop()
    h.check('poll: it met refusals', server.refused[429] > 0 and server.refused[500] > 0, repr(server.refused))
    said = ''.join(p.read_text() for p in case.folder.glob('*.stderr'))
    h.check('poll: no secret is told', 'a secret token' not in said, said)


http.server.ThreadingHTTPServer.handle_error = lambda *_: None  # a client that is killed is no news
vedette = h.binary()
for test in (command, silence, dropped, journald, api):
    with h.part(test.__name__):
        test()
h.finish()
