#!/usr/bin/env python3
"""run.py - how fast each part is, beside `wc -l` on the same file in the same run. It prints; a person judges.

  make bench                               everything
  bench/run.py --corpus auth --rounds 5    some of it
  bench/run.py --stages                    decode, normalise, match and collect apart
  bench/sigma.py                           only: what thousands of rules cost

Corpora are made once and kept in build/bench: from real samples by $VEDETTE_DATA/tools/make_corpus.py (default
VEDETTE_DATA: ../shared), else by bench/corpus.py out of examples/. Files are read into the page cache first, and `wc -l`
runs before and after each measurement: "x wc" is the median over the rounds of each time divided by its own pair of
neighbours. So the ratio holds on a busy or slow machine, where events/s do not.

events/s and ns are wall time, with start-up (rules compiled) for scan, without it for the stages before. "cpu ns" is
processor time per event, of all threads: it holds on a busy machine, too. MB is the largest resident set.
"""
import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build' / 'release'
CACHE = ROOT / 'build' / 'bench'
DATA = pathlib.Path(os.environ.get('VEDETTE_DATA') or ROOT.parent / 'shared')
KINDS = {'auth': 'authlog', 'web': 'weblog', 'windows': 'windows'}
GOALS = {'auth': 10, 'web': 10, 'windows': 4}           # x wc, whole scan, 2 workers
DISORDER_GOAL, MEMORY_GOAL = 1.3, 500                   # x ordered; MB
DISORDER = 60                                           # seconds
STAGES = [('read', 'read'), ('decode', '+ decode, normalise'), ('detect', '+ detect')]
FINE_STAGES = [('read', 'read'), ('decode', '+ decode'), ('normalize', '+ normalise'), ('match', '+ match'),
               ('collect', '+ collect')]
SAME = {'decode': 'normalize', 'detect': 'collect'}     # how bench_stages calls the coarse stages


def say(text=''):
    print(text, flush=True)


def fail(text):
    sys.exit(f'bench: {text}')


# ---- corpora ---------------------------------------------------------------------------------------------------

def free_bytes():
    CACHE.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(CACHE).free


def corpus_size(wanted, kinds, disordered):
    """As many MB as asked for, or what lets all corpora fit into half of the free disk."""
    files = len(kinds) * (2 if disordered else 1)
    kept = sum(f.stat().st_size for f in CACHE.glob('*.log'))
    room = int((free_bytes() + kept) / 2 / files / 1e6)
    if room < wanted:
        say(f'The disk has room for {room} MB per corpus, not for {wanted} MB: figures of short files are less sure.')
    return max(min(room, wanted), 1)


def make_file(command, goal):
    """Runs the command into the file; what is there already is kept."""
    if goal.exists():
        return goal
    say(f'  making {goal.relative_to(ROOT)}')
    fresh = goal.with_suffix('.part')
    with open(fresh, 'wb') as out:
        done = subprocess.run([str(c) for c in command], stdout=out, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        fresh.unlink()
        fail(f'{command[1]} failed: {done.stderr.decode(errors="replace").strip()[-500:]}')
    fresh.rename(goal)
    return goal


def maker_of(kind, size):
    real = DATA / 'tools' / 'make_corpus.py'
    if real.exists():
        return [sys.executable, real, '--mode', KINDS[kind], '--mb', size, '--jobs', os.cpu_count() or 1]
    return [sys.executable, ROOT / 'bench' / 'corpus.py', kind, '--mb', size]


def make_corpus(kind, size, disordered):
    command = maker_of(kind, size)
    text = pathlib.Path(command[1]).read_bytes() + repr(command[2:6]).encode()
    name = f'{kind}-{size}mb-{hashlib.sha256(text).hexdigest()[:8]}'
    plain = make_file(command, CACHE / f'{name}.log')
    if not disordered:
        return plain, None
    shuffle = [sys.executable, ROOT / 'tools' / 'disorder.py', '--by', DISORDER, '--seed', 1, plain]
    return plain, make_file(shuffle, CACHE / f'{name}-disordered.log')


def warm(path):
    with open(path, 'rb', 0) as file:
        while file.read(8 << 20):
            pass


# ---- measuring -------------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Run:
    seconds: float
    cpu: float = 0
    peak: float = 0        # MB
    facts: dict = dataclasses.field(default_factory=dict)


def execute(command):
    """Runs it; (Run, standard output where it is short, standard error). Fails with the program."""
    name = pathlib.Path(command[0]).name
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as out:
        keep = name != 'vedette'
        with open(os.devnull, 'wb') as nowhere:
            start = time.perf_counter()
            process = subprocess.Popen([str(c) for c in command], stdout=out if keep else nowhere, stderr=errors,
                                       env={**os.environ, 'LC_ALL': 'C'})
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        out.seek(0)
        text, problems = out.read().decode(), errors.read().decode(errors='replace')
    if process.returncode:
        fail(f'{name} ended with {process.returncode}: {problems.strip()[-500:]}')
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6), text, problems


def wc(path):
    run, text, _ = execute(['wc', '-l', path])
    return run, int(text.split()[0])


def run_stage(path, stage, workers):
    _, text, _ = execute([BUILD / 'bench_stages', path, SAME.get(stage, stage), workers])
    facts = json.loads(text)
    return Run(facts['seconds'], facts['cpu'], facts['peak_kib'] * 1024 / 1e6, facts)


def run_scan(path, workers, report):
    run, _, ledger = execute([BUILD / 'vedette', 'scan', path, '--workers', workers] + ([] if report else ['--json']))
    run.facts['ledger'] = ledger
    return run


class Row:
    """One thing measured: rounds of (run, wc before and after)."""

    def __init__(self, label, action):
        self.label, self.action, self.runs, self.ratios = label, action, [], []

    def round(self, path):
        before, _ = wc(path)
        self.runs.append(self.action())
        after, _ = wc(path)
        self.ratios.append(self.runs[-1].seconds / ((before.seconds + after.seconds) / 2))

    @property
    def seconds(self):
        return statistics.median(r.seconds for r in self.runs)

    @property
    def cpu(self):
        return statistics.median(r.cpu for r in self.runs)

    @property
    def ratio(self):
        return statistics.median(self.ratios)

    @property
    def peak(self):
        return max(r.peak for r in self.runs)


# ---- one corpus ------------------------------------------------------------------------------------------------

def rows_of(plain, disordered, stages, workers):
    rows = {}
    for count in workers:
        for stage, label in stages:
            rows[stage, count] = Row(label, lambda s=stage, c=count: run_stage(plain, s, c))
        rows['scan', count] = Row('whole scan, --json', lambda c=count: run_scan(plain, c, False))
        rows['report', count] = Row('whole scan, report', lambda c=count: run_scan(plain, c, True))
        if disordered:
            rows['disordered', count] = Row(f'disordered by {DISORDER} s', lambda c=count: run_scan(disordered, c, False))
    return rows


def measure(kind, plain, disordered, options):
    stages = FINE_STAGES if options.stages else STAGES
    warm(plain)
    if disordered:
        warm(disordered)
    count, lines = wc(plain)
    counts, last = [count], None
    rows = rows_of(plain, disordered, stages, options.workers)
    for number in range(options.rounds):
        for (name, count), row in rows.items():
            if sys.stderr.isatty():
                print(f'\r\x1b[K  round {number + 1}: {row.label}, {count} worker(s)', end='', file=sys.stderr, flush=True)
            row.round(plain)
            last = row
        counts.append(wc(plain)[0])
    if last is not None and sys.stderr.isatty():
        print('\r\x1b[K', end='', file=sys.stderr, flush=True)
    check_lines(rows, lines)
    alone = Run(statistics.median(c.seconds for c in counts), statistics.median(c.cpu for c in counts))
    show(kind, plain, lines, alone, rows, options)
    return summary(kind, plain, lines, alone, rows)


def check_lines(rows, lines):
    """A stage that leaves lines out would be fast."""
    for row in rows.values():
        for run in row.runs:
            got = run.facts.get('records', lines)
            if run.facts.get('stage', 'read') != 'read' and got != lines:
                fail(f'{row.label}: {got} records of {lines} lines')


def show(kind, plain, lines, alone, rows, options):
    size = plain.stat().st_size
    say(f'\n{kind}: {size / 1e6:.0f} MB, {lines:,} lines of {size / lines:.0f} B; '
        f'wc -l {alone.seconds * 1e3:.0f} ms, {alone.seconds / lines * 1e9:.1f} ns/line ({alone.cpu / lines * 1e9:.1f} cpu)')
    say(f'{"":22}' + ''.join(f'| {f"{c} worker" + ("s" if c > 1 else ""):^39} ' for c in options.workers) + '| goal')
    say(f'{"":22}' + ''.join(f'| {"events/s":>10} {"ns":>7} {"cpu ns":>7} {"x wc":>6} {"MB":>5} ' for c in options.workers) + '|')
    for name in dict.fromkeys(name for name, _ in rows):
        line = f'{rows[name, options.workers[0]].label:22}'
        for count in options.workers:
            row = rows[name, count]
            line += (f'| {lines / row.seconds:10,.0f} {row.seconds / lines * 1e9:7.0f} {row.cpu / lines * 1e9:7.0f} '
                     f'{row.ratio:6.2f} {row.peak:5.0f} ')
        say(line + '| ' + goal_text(kind, name, rows, max(options.workers)))


def goal_text(kind, name, rows, workers):
    if name in ('scan', 'report'):
        return f'<= {GOALS[kind]} x wc with 2 workers, < {MEMORY_GOAL} MB'
    if name == 'disordered':
        return f'<= {DISORDER_GOAL} x ordered; is {disorder_factor(rows, workers):.2f}'
    return ''


def disorder_factor(rows, workers):
    """Of neighbours within a round: both were measured against their own wc."""
    pairs = zip(rows['disordered', workers].ratios, rows['scan', workers].ratios)
    return statistics.median(disordered / ordered for disordered, ordered in pairs)


def summary(kind, plain, lines, alone, rows):
    return {'corpus': kind, 'bytes': plain.stat().st_size, 'lines': lines, 'wc_seconds': alone.seconds, 'wc_cpu': alone.cpu, 'rows': [
        {'what': name, 'workers': count, 'seconds': row.seconds, 'cpu': row.cpu, 'ratio': row.ratio, 'peak_mb': row.peak,
         'ratios': row.ratios} for (name, count), row in rows.items()]}


# ---- all of it -------------------------------------------------------------------------------------------------

def machine():
    model = 'unknown processor'
    with contextlib.suppress(OSError):
        for line in open('/proc/cpuinfo', encoding='utf-8'):
            if line.startswith('model name'):
                model = line.split(':', 1)[1].strip()
                break
    load = os.getloadavg()[0]
    say(f'{os.cpu_count()} cores, {model}; load before the start {load:.1f}'
        + (' (busy: trust cpu ns more than the rest)' if load > 0.5 else ''))


def start_up():
    with tempfile.NamedTemporaryFile() as empty:
        times = [run_scan(empty.name, 2, False).seconds for _ in range(5)]
    say(f'start-up (scan of an empty file): {statistics.median(times) * 1e3:.0f} ms')


def numbers(text):
    return [int(part) for part in text.split(',')]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--corpus', default=','.join(KINDS), help='some of ' + ','.join(KINDS))
    p.add_argument('--mb', type=int, default=420, help='size of each corpus (default 420)')
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--workers', type=numbers, default=[1, 2], help='default 1,2')
    p.add_argument('--stages', action='store_true', help='every stage apart')
    p.add_argument('--ordered', action='store_true', help='leave the disordered copies out')
    p.add_argument('--latency', choices=['yes', 'no', 'only'], default='yes', help='event to alert in `vedette run`')
    p.add_argument('--rules', choices=['yes', 'no', 'only'], default='yes', help='Windows events past SigmaHQ rules')
    p.add_argument('--results', metavar='FILE', help='write all figures as JSON, too')
    options = p.parse_args()
    kinds = options.corpus.split(',')
    if unknown := set(kinds) - set(KINDS):
        p.error(f'there is no corpus {sorted(unknown)[0]}; there are {", ".join(KINDS)}')
    for program in ('vedette', 'bench_stages'):
        if not (BUILD / program).exists():
            fail(f'{BUILD / program} is missing; run `make bench`')
    machine()
    results = []
    if 'only' not in (options.latency, options.rules):
        if not (DATA / 'tools' / 'make_corpus.py').exists():
            say(f'No {DATA}/tools/make_corpus.py: corpora repeat examples/ssh-siege and events of bench/corpus.py, '
                'which hold far more attacks than real logs.')
        size = corpus_size(options.mb, kinds, not options.ordered)
        files = {kind: make_corpus(kind, size, not options.ordered) for kind in kinds}
        start_up()
        results = [measure(kind, *files[kind], options) for kind in kinds]
    if options.rules != 'no' and options.latency != 'only':
        import sigma
        if sigma.available():
            results += sigma.measure_all(options.mb, options.rounds, options.workers)
        else:
            say(f'No {DATA}/data/sigma-rules: what thousands of rules cost is not measured.')
    if options.latency != 'no' and options.rules != 'only' and (ROOT / 'bench' / 'latency.py').exists():
        import latency
        results.append(latency.measure(BUILD / 'vedette'))
    if options.results:
        pathlib.Path(options.results).write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
