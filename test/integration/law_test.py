#!/usr/bin/python3
"""Law 1: the alerts of a log do not depend on how it arrives. Byte for byte, evidence id, alert id and revision apart."""
import difflib
import gzip
import json
import shutil

import harness as h
import disorder  # from tools/, which harness adds to the path

COMMON = ['scan', '--json', '--timezone', 'UTC']


def same_shape(line):
    """One alert without what may differ: ids name the place in a source, revisions count how it was published."""
    a = json.loads(line)
    a.pop('id', None)
    a.pop('revision', None)
    a.pop('into', None)
    for e in a.get('evidence', []):
        e.pop('id', None)
    return json.dumps(a, sort_keys=True, ensure_ascii=False, separators=(',', ':'))


def scan(what, year, paths, *args, stdin=None):
    r = h.run([vedette, *COMMON, '--year', year, *args, *paths], stdin=stdin, timeout=120)
    if not h.equal('%s: ends with 0' % what, r.code, 0):
        h.note(r.err.decode('utf-8', 'replace')[-1500:])
        return None
    return [same_shape(l) for l in r.out.decode('utf-8', 'surrogateescape').splitlines() if l.strip()]


def hold(what, base, got):
    if got is not None:
        h.check(what, got == base, lambda: '%d alerts, want %d\n%s' % (
            len(got), len(base), '\n'.join(l[:400] for l in list(difflib.unified_diff(base, got, 'want', 'got', '', 0))[:12])))


def shuffled(data, seed):
    out = []
    disorder.disorder(data.splitlines(True), out.append, 60, seed)
    text = b''.join(out)
    h.check('disorder.py moved lines and lost none', text != data and sorted(text.splitlines()) == sorted(data.splitlines()))
    return text


def law(name, log, year, cut):
    """All ways in for one log. cut: how many lines are read byte by byte."""
    folder = h.temp()
    data = h.read_log(log)
    plain = folder / log.name
    plain.write_bytes(data)

    base = scan(name, year, [plain], '--workers', 1)
    if not base:
        h.check('%s: the log has alerts' % name, False)
        return
    h.note('%s: %d alerts' % (name, len(base)))

    def way(what, *args, paths=(plain,), stdin=None, want=base):
        hold('%s: %s' % (name, what), want, scan('%s: %s' % (name, what), year, paths, *args, stdin=stdin))

    way('a second time', '--workers', 1)
    way('2 workers', '--workers', 2)
    way('3 workers', '--workers', 3)
    way('standard input', paths=['-'], stdin=data)
    way('reads of 1 MiB', '--read-size', 1048576)
    way('reads of 4,093 bytes, 2 workers', '--read-size', 4093, '--workers', 2)

    packed = folder / 'packed.log.gz'
    packed.write_bytes(gzip.compress(data))
    way('gz', paths=[packed])
    way('gz on standard input', paths=['-'], stdin=packed.read_bytes())
    if shutil.which('zstd'):
        zst = folder / 'packed.log.zst'
        h.run(['zstd', '-q', plain, '-o', zst])
        way('zst', paths=[zst])
    else:
        h.skip_part('%s: zst' % name, 'no zstd program to pack with')

    for seed in (1, 2):
        mixed = folder / ('shuffled-%d.log' % seed)
        mixed.write_bytes(shuffled(data, seed))
        way('shuffled within 60 s, seed %d' % seed, paths=[mixed])
        way('shuffled within 60 s, seed %d, 2 workers' % seed, '--workers', 2, paths=[mixed])
        way('shuffled within 60 s, seed %d, lateness 60 s' % seed, '--lateness', '60s', paths=[mixed])
    way('lateness 60 s', '--lateness', '60s')

    # Rotated: the older half in a file of its own, named in either order.
    lines = data.splitlines(True)
    (folder / 'rotated').mkdir()
    older, newer = folder / 'rotated' / (log.name + '.1'), folder / 'rotated' / log.name
    older.write_bytes(b''.join(lines[:len(lines) // 2]))
    newer.write_bytes(b''.join(lines[len(lines) // 2:]))
    way('two files, older first', paths=[older, newer])
    way('two files, newer first', paths=[newer, older])
    way('a folder', paths=[folder / 'rotated'])

    small = folder / 'small.log'
    small.write_bytes(b''.join(lines[:cut]))
    want = base if cut >= len(lines) else scan('%s: small' % name, year, [small], '--workers', 1)
    way('reads of 1 byte', '--read-size', 1, paths=[small], want=want)
    way('reads of 1 byte, 2 workers', '--read-size', 1, '--workers', 2, paths=[small], want=want)
    small.write_bytes(b''.join(lines[:cut]).rstrip(b'\n'))
    way('no newline at the end, reads of 7 bytes', '--read-size', 7, paths=[small], want=want)


def together(folder, year):
    """Two logs at once: each partition has a watermark of its own, and the rules that join them see both."""
    auth, access = folder / 'auth.log', folder / 'access.log'
    base = scan('both logs', year, [auth, access], '--workers', 1)
    h.check('both logs: alerts', base)
    for what, paths, args in (('the other order', [access, auth], ['--workers', 1]), ('2 workers', [auth, access], ['--workers', 2]),
                              ('small reads', [auth, access], ['--read-size', 100]), ('2 workers, the other order', [access, auth], ['--workers', 2])):
        hold('both logs: %s' % what, base, scan('both logs: %s' % what, year, paths, *args))


vedette = h.binary()
siege = h.example('ssh-siege')
for log in ('auth.log', 'access.log'):
    with h.part('ssh-siege/%s' % log):
        law('ssh-siege/%s' % log, siege / log, 2026, 1000000)
with h.part('ssh-siege'):
    together(siege, 2026)
real = h.data('data/elastic-examples/auth.log')
if real:
    with h.part('real host'):
        law('real host', real, 2017, 1500)
else:
    h.skip_part('real host', 'no data/elastic-examples/auth.log in $VEDETTE_DATA (default: ../shared beside the repository)')
h.finish()
