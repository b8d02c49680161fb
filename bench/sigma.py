#!/usr/bin/env python3
"""sigma.py - what rules cost: Windows events past 0, 10, 100, 1,000 and all rules of SigmaHQ, beside `wc -l`.

  bench/sigma.py [--mb 420] [--rounds 3] [--workers 1,2] [--counts 0,100,all]

Needs $VEDETTE_DATA (default ../shared): tools/make_corpus.py and data/sigma-rules. N rules are every so-manieth of all,
in the order of their paths. Two corpora: `windows`, all channels, and `process creation`, the events of that one kind
out of it, repeated: most rules are about those, so it is the worst case (repetition helps what remembers values).
Reading, decoding, normalising, matching and collecting are in the time; loading rules is not, it has a line of its own.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run as bench  # noqa: E402

FOLDERS = ('rules', 'rules-emerging-threats', 'rules-threat-hunting', 'rules-compliance')
COUNTS = (0, 10, 100, 1000, 'all')
PROCESS_CREATION = (b'"EventID":1,', b'"EventID":4688,')
GOALS = {'windows': 'all: <= 6 x wc with 2 workers, and half of what 100 do', 'process creation': '>= 100,000 events/s'}
NO_RULE = """title: For nothing here
id: 00000000-0000-4000-8000-000000000001
logsource: {product: zeek, service: conn}
detection: {never: {no_such_field: x}, condition: never}
"""


def rule_files():
    files = [f for folder in FOLDERS for f in sorted((bench.DATA / 'data' / 'sigma-rules' / folder).rglob('*.yml'))]
    if not files:
        bench.fail(f'there are no rules in {bench.DATA}/data/sigma-rules')
    return files


def rule_folder(count):
    """A folder of links to so many rules."""
    files = rule_files()
    number = len(files) if count == 'all' else min(count, len(files))
    folder = bench.CACHE / f'rules-{count}'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / 'none.yml').write_text(NO_RULE, encoding='utf-8')
    for i in range(number):
        (folder / f'{i:05}.yml').symlink_to(files[i * len(files) // number].resolve())
    return folder


def process_creation(windows):
    """Its process-creation events, as often as they fit into the same size."""
    goal = windows.with_name(windows.stem + '-creation.log')
    if goal.exists():
        return goal
    with open(windows, 'rb') as lines:
        chosen = b''.join(line for line in lines if any(mark in line for mark in PROCESS_CREATION))
    part = goal.with_suffix('.part')
    with open(part, 'wb') as out:
        for _ in range(max(1, windows.stat().st_size // max(1, len(chosen)))):
            out.write(chosen)
    part.rename(goal)
    return goal


def run_rules(corpus, workers, folder):
    _, text, _ = bench.execute([bench.BUILD / 'bench_stages', corpus, 'collect', workers, 256 << 10, folder])
    facts = json.loads(text)
    return bench.Run(facts['seconds'], facts['cpu'], facts['peak_kib'] * 1024 / 1e6, facts)


def measure(name, corpus, options):
    bench.warm(corpus)
    count, lines = bench.wc(corpus)
    rows = {(n, w): bench.Row(f'{n} rules', lambda n=n, w=w: run_rules(corpus, w, options.folders[n]))
            for n in options.counts for w in options.workers}
    for _ in range(options.rounds):
        for row in rows.values():
            row.round(corpus)
    size = corpus.stat().st_size
    bench.say(f'\n{name}: {size / 1e6:.0f} MB, {lines:,} lines of {size / lines:.0f} B; '
              f'wc -l {count.seconds / lines * 1e9:.0f} ns/line; goal: {GOALS[name]}')
    bench.say(f'{"rules":>8} ' + ''.join(
        f'| {str(w) + " worker" + ("s" if w > 1 else ""):>8} {"events/s":>10} {"cpu ns":>7} {"x wc":>6} {"hits":>8} {"MB":>5} '
        for w in options.workers) + '| load s')
    for n in options.counts:
        line = f'{n:>8} '
        for w in options.workers:
            row = rows[n, w]
            line += (f'| {"":>8} {lines / row.seconds:10,.0f} {row.cpu / lines * 1e9:7.0f} {row.ratio:6.2f} '
                     f'{row.runs[-1].facts["hits"]:8,} {row.peak:5.0f} ')
        loads = [run.facts['load'] for w in options.workers for run in rows[n, w].runs]
        bench.say(line + f'| {statistics.median(loads):6.2f}')
    return {'corpus': name, 'lines': lines, 'rows': [
        {'rules': n, 'workers': w, 'seconds': row.seconds, 'cpu': row.cpu, 'ratio': row.ratio,
         'hits': row.runs[-1].facts['hits'], 'load': row.runs[-1].facts['load']} for (n, w), row in rows.items()]}


def available():
    return (bench.DATA / 'data' / 'sigma-rules').is_dir() and (bench.DATA / 'tools' / 'make_corpus.py').exists()


def measure_all(mb, rounds, workers, counts=COUNTS):
    """Figures of both corpora, printed and as a list."""
    options = argparse.Namespace(rounds=rounds, workers=workers, counts=list(counts))
    options.folders = {n: rule_folder(n) for n in counts}
    windows, _ = bench.make_corpus('windows', bench.corpus_size(mb, ['windows'], False), False)
    return [measure('windows', windows, options), measure('process creation', process_creation(windows), options)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--mb', type=int, default=420)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--workers', type=bench.numbers, default=[1, 2])
    p.add_argument('--counts', default=','.join(map(str, COUNTS)))
    p.add_argument('--results', metavar='FILE')
    options = p.parse_args()
    if not available():
        bench.fail(f'{bench.DATA} has no rules or no corpus maker')
    counts = [c if c == 'all' else int(c) for c in options.counts.split(',')]
    bench.machine()
    results = measure_all(options.mb, options.rounds, options.workers, counts)
    if options.results:
        pathlib.Path(options.results).write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
