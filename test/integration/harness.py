"""What the integration tests share. Python 3 standard library only.

A test file is a program: it makes checks, then calls finish(), which prints `N passed, N failed` and exits 0 or 1.
Whoever cannot run says so with skip(reason): a line `SKIPPED name: reason`, exit code 77.

    import harness as h
    h.check('it adds', 1 + 1 == 2)
    h.equal('it adds', 1 + 1, 2)
    h.finish()

The program under test: $VEDETTE_BIN, else $VEDETTE (what tools/run_scripts.py sets), else build/release/vedette. Real data: $VEDETTE_DATA, else ../shared beside
the repository (the folder that holds data/).
"""
import atexit
import collections
import contextlib
import gzip
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
sys.path.insert(0, str(ROOT / 'tools'))

passed, failed = 0, 0
_started = []
_name = pathlib.Path(sys.argv[0]).stem


# ------------------------------------------------------------------------------------------ checks
def check(what, ok, detail=''):
    """Counts one check; detail (text, or a function that makes it) is shown if it fails."""
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        detail = detail() if callable(detail) else detail
        print('FAILED %s: %s%s' % (_name, what, '\n' + _indent(detail) if detail else ''), flush=True)
    return bool(ok)


def equal(what, got, want):
    return check(what, got == want, lambda: 'got  %s\nwant %s' % (_short(got), _short(want)))


def same_set(what, got, want):
    """Multisets compared; the difference is shown, not the whole."""
    g, w = collections.Counter(got), collections.Counter(want)
    return check(what, g == w, lambda: '\n'.join(
        ['missing  %s' % _short(x) for x in list((w - g).elements())[:10]] +
        ['too many %s' % _short(x) for x in list((g - w).elements())[:10]] +
        ['%d missing, %d too many, %d right' % (sum((w - g).values()), sum((g - w).values()), sum((g & w).values()))]))


def note(text):
    print('%s: %s' % (_name, text), flush=True)


def skip(reason):
    """Ends the whole file: nothing in it can run."""
    print('SKIPPED %s: %s' % (_name, reason), flush=True)
    sys.exit(SKIPPED)


def skip_part(what, reason):
    """One part cannot run; said aloud, the rest goes on."""
    print('SKIPPED %s: %s: %s' % (_name, what, reason), flush=True)


def finish():
    print('%d passed, %d failed' % (passed, failed), flush=True)
    sys.exit(1 if failed or not passed else 0)


@contextlib.contextmanager
def part(what):
    """An exception inside is one failed check, not the end of the file."""
    try:
        yield
    except Exception:
        check(what, False, traceback.format_exc())


def _short(x, limit=600):
    s = x if isinstance(x, str) else repr(x)
    return s if len(s) <= limit else s[:limit] + '... (%d characters)' % len(s)


def _indent(text):
    return '\n'.join('    ' + l for l in str(text).splitlines())


# ------------------------------------------------------------------------------------------ places
def binary():
    """The program under test; without it the file is skipped."""
    path = pathlib.Path(os.environ.get('VEDETTE_BIN') or os.environ.get('VEDETTE') or ROOT / 'build' / 'release' / 'vedette')
    if not os.access(path, os.X_OK):
        skip('no program at %s; run `make build` or set VEDETTE_BIN' % path)
    return str(path.resolve())


def data(relative):
    """A path in the real data, or None."""
    path = pathlib.Path(os.environ.get('VEDETTE_DATA') or ROOT.parent / 'shared') / relative
    return path if path.exists() else None


def example(relative):
    return ROOT / 'examples' / relative


def temp():
    """A folder that is gone when the test ends (kept and named with VEDETTE_KEEP=1)."""
    path = pathlib.Path(tempfile.mkdtemp(prefix='vedette-%s-' % _name))
    if os.environ.get('VEDETTE_KEEP'):
        note('keeps %s' % path)
    else:
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def read_log(path):
    path = str(path)
    with (gzip.open if path.endswith('.gz') else open)(path, 'rb') as f:
        return f.read()


# ------------------------------------------------------------------------------------------ programs
Result = collections.namedtuple('Result', 'code out err seconds')


def run(cmd, stdin=None, timeout=120, env=None, cwd=None):
    """Runs to its end. stdin: bytes, or an open file. out and err are bytes. A program that hangs is killed: code None."""
    begin = time.monotonic()
    source = dict(stdin=stdin) if hasattr(stdin, 'fileno') else dict(input=stdin if stdin is not None else b'')
    try:
        r = subprocess.run([str(c) for c in cmd], capture_output=True, timeout=timeout, cwd=cwd,
                           env=None if env is None else {**os.environ, **env}, **source)
        return Result(r.returncode, r.stdout, r.stderr, time.monotonic() - begin)
    except subprocess.TimeoutExpired as e:
        return Result(None, e.stdout or b'', (e.stderr or b'') + b'\n[killed after %d s]' % timeout, time.monotonic() - begin)


def status(folder, env=None):
    """What `vedette status` says of the service that FOLDER/vedette.yaml configures; None: nobody answers."""
    r = run([binary(), 'status', '--config', pathlib.Path(folder) / 'vedette.yaml'], env=env)
    try:
        return json.loads(r.out) if r.code == 0 else None
    except ValueError:
        return None


def alerts(result):
    """The alerts of `scan --json`: one object per line."""
    return [json.loads(l) for l in result.out.decode('utf-8', 'surrogateescape').splitlines() if l.strip()]


class Server:
    """A program that stays. Output goes to files in a folder of its own; it is stopped by its pid, at the latest at exit."""

    def __init__(self, cmd, folder=None, env=None, cwd=None):
        self.folder = pathlib.Path(folder) if folder else temp()
        n = len(list(self.folder.glob('*.stdout')))
        self.stdout, self.stderr = self.folder / ('%d.stdout' % n), self.folder / ('%d.stderr' % n)
        with open(self.stdout, 'wb') as out, open(self.stderr, 'wb') as err:
            self.process = subprocess.Popen([str(c) for c in cmd], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd,
                                            env=None if env is None else {**os.environ, **env})
        self.pid = self.process.pid
        _started.append(self)

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.alive():
            self.process.send_signal(number)

    def stop(self, timeout=20):
        """SIGTERM, then SIGKILL; returns the exit code (-9: it had to be killed)."""
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.process.wait()

    def errors(self):
        return self.stderr.read_text('utf-8', 'replace')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@atexit.register
def _stop_all():
    for s in _started:
        if s.alive():
            s.kill()


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(predicate, timeout=20, what='it', step=0.02):
    """Asks until the answer is true, and returns it; after timeout raises TimeoutError."""
    end = time.monotonic() + timeout
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError('waited %.1f s for %s' % (timeout, what))
        time.sleep(step)


def listens(port, host='127.0.0.1'):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.settimeout(0.5)
        return s.connect_ex((host, port)) == 0


# ------------------------------------------------------------------------------------------ a web server that takes notes
Post = collections.namedtuple('Post', 'time method path headers body status')


class Receiver:
    """An HTTP server on loopback that keeps what it is sent.

    status: what it answers; a number, or a function of the n-th request (from 0) and its Post-to-be that gives a number,
    or None to hang up without an answer. down() and up() take the port away and give it back (connection refused).
    """

    def __init__(self, status=200, headers=None, delay=0):
        self.status, self.headers, self.delay = status, headers or {}, delay
        self.posts, self._lock, self._server = [], threading.Lock(), None
        self.port = free_port()
        self.up()
        atexit.register(self.down)

    @property
    def url(self):
        return 'http://127.0.0.1:%d/' % self.port

    def up(self):
        if self._server:
            return
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                receiver._take(self)

            do_GET = do_PUT = do_POST

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self._server = http.server.ThreadingHTTPServer(('127.0.0.1', self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs=dict(poll_interval=0.02), daemon=True).start()

    def down(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _take(self, handler):
        if 'chunked' in handler.headers.get('Transfer-Encoding', ''):
            body = b''
            while True:
                size = int(handler.rfile.readline().split(b';')[0] or b'0', 16)
                body += handler.rfile.read(size)
                handler.rfile.readline()
                if not size:
                    break
        else:
            body = handler.rfile.read(int(handler.headers.get('Content-Length') or 0))
        if self.delay:
            time.sleep(self.delay)
        with self._lock:
            status = self.status
            if callable(status):
                status = status(len(self.posts), (handler.path, dict(handler.headers), body))
            self.posts.append(Post(time.time(), handler.command, handler.path, dict(handler.headers), body, status))
        if status is None or self._server is None:
            handler.close_connection = True
            with contextlib.suppress(OSError):
                handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(status)
        for k, v in self.headers.items():
            handler.send_header(k, v)
        handler.send_header('Content-Length', '0')
        handler.end_headers()

    def accepted(self):
        """The posts that were answered with success."""
        with self._lock:
            return [p for p in self.posts if p.status and 200 <= p.status < 300]

    def json(self):
        """What the accepted posts say: each body one JSON value, an array, or NDJSON."""
        out = []
        for p in self.accepted():
            try:
                value = json.loads(p.body)
                out += value if isinstance(value, list) else [value]
            except ValueError:
                out += [json.loads(l) for l in p.body.splitlines() if l.strip()]
        return out
