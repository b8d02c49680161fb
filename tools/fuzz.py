#!/usr/bin/python3
"""Runs every fuzz binary for a while: fuzz.py [--seconds N (in all, default 240)] [--seed N] [NAME...]

Seeds: all golden inputs, fuzz/seeds/*, fuzz/seeds/<name>/*, and what earlier runs found (build/fuzz/corpus/<name>).
Inputs that once failed live in fuzz/regress/<name>/ and are run first. A crash leaves its input in build/fuzz/crash/.
The same seed looks at the same places; without one each run has its own.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
SEED_LIMIT = 64 * 1024


def seeds_for(name):
    """A folder with the seeds of one binary."""
    folder = BUILD / "seeds" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources = sorted((ROOT / "test").glob("**/*.in")) + sorted((ROOT / "fuzz" / "seeds").glob("*"))
    sources += sorted((ROOT / "fuzz" / "seeds" / name).glob("*")) + sorted((ROOT / "fuzz" / "regress" / name).glob("*"))
    for number, path in enumerate(p for p in sources if p.is_file() and p.stat().st_size <= SEED_LIMIT):
        shutil.copyfile(path, folder / f"{number:05}-{path.name}")
    return folder


def run(name, seconds, seed):
    """What is wrong, or None."""
    binary, corpus, crash = BUILD / f"fuzz_{name}", BUILD / "corpus" / name, BUILD / "crash"
    corpus.mkdir(parents=True, exist_ok=True)
    crash.mkdir(exist_ok=True)
    environment = dict(os.environ, ASAN_OPTIONS="abort_on_error=0:detect_leaks=0:allocator_may_return_null=1")
    command = [str(binary), f"-max_total_time={seconds}", f"-seed={seed}", "-timeout=60",
               "-rss_limit_mb=3072", "-print_final_stats=1", f"-artifact_prefix={crash}/{name}-", "-verbosity=0", str(corpus), str(seeds_for(name))]
    try:
        done = subprocess.run(command, env=environment, cwd=BUILD, capture_output=True, timeout=seconds + 120,
                              check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f"no end after {seconds + 120} s"
    text = done.stderr.decode(errors="replace")
    runs = [line.split()[-1] for line in text.split("\n") if "number_of_executed_units" in line]
    print(f"{'FAILED' if done.returncode else 'ok     '} {name}: {runs[0] if runs else '?'} runs in {seconds} s", flush=True)
    return text[-6000:] if done.returncode else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=240)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    names = options.names or sorted(p.stem for p in (ROOT / "fuzz").glob("*.cpp"))
    failed = 0
    for name in names:
        wrong = f"{BUILD}/fuzz_{name} is missing" if not (BUILD / f"fuzz_{name}").exists() else run(
            name, max(5, options.seconds // len(names)), options.seed)
        if wrong:
            failed += 1
            print(f"FAILED {name}: {wrong}")
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
