#!/usr/bin/env python3
"""formats.py - how fast each format is decoded and normalised, on one thread, beside `wc -l` on the same file.

  bench/formats.py [--mb 50] [--rounds 3] [NAME...]

NAME: a folder of test/golden/decode, or one case of it (cef, custom/squid_vpcflow). The inputs of its golden cases,
repeated to so many MB, are the log; so it holds far more broken lines than real logs do. "x wc" is the time over that of
`wc -l` (the mean of one run before and one after), which holds on a busy or slow machine, where events/s do not.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = ROOT / 'test' / 'golden' / 'decode'
CACHE = ROOT / 'build' / 'bench' / 'formats'


def inputs(name):
    path = CASES / name
    files = sorted(path.glob('*.in')) if path.is_dir() else [path.with_suffix('.in')]
    files = [f for f in files if f.exists()]
    if not files:
        sys.exit(f'bench: there is no golden input {name}')
    return files


def log_of(name, file, size):
    data = file.read_bytes()
    if not data.endswith(b'\n'):
        data += b'\n'
    CACHE.mkdir(parents=True, exist_ok=True)
    out = CACHE / f'{name}-{file.stem}.log'.replace('/', '-')
    out.write_bytes(data * max(1, size // len(data)))
    return out


def wc(path):
    start = time.perf_counter()
    subprocess.run(['wc', '-l', path], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('names', nargs='*')
    p.add_argument('--mb', type=int, default=50)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--program', default=str(ROOT / 'build' / 'release' / 'bench_formats'))
    options = p.parse_args()
    names = options.names or sorted(d.name for d in CASES.iterdir() if d.is_dir())
    print(f'{"format":32} {"events/s":>12} {"ns/event":>9} {"MB/s":>7} {"x wc":>7} {"unknown":>8}')
    for name in names:
        for file in inputs(name):
            log = log_of(name, file, options.mb << 20)
            wc(log)
            before = wc(log)
            done = subprocess.run([options.program, log, str(options.rounds)], stdout=subprocess.PIPE, check=True)
            after = wc(log)
            r = json.loads(done.stdout)
            events = max(1, r['events'])
            print(f'{name + "/" + file.stem:32} {events / r["seconds"]:12,.0f} {r["seconds"] / events * 1e9:9.0f} '
                  f'{r["bytes"] / r["seconds"] / 1e6:7.0f} {r["seconds"] / ((before + after) / 2):7.1f} '
                  f'{r["unknown"] / events:8.0%}', flush=True)
            log.unlink()


if __name__ == '__main__':
    main()
