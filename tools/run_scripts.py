#!/usr/bin/python3
"""Runs every executable *.py and *.sh of a folder as one test: run_scripts.py FOLDER [--limit SECONDS]

A script passes with exit 0, is SKIPPED with 77 (its last line says why), fails otherwise. It finds the program in
$VEDETTE, the real data in $VEDETTE_DATA, an empty folder of its own in $TMPDIR. Files with a leading `_` are helpers.
"""
import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time


def run(script, limit):
    """(exit code or None after too long, output)"""
    with tempfile.TemporaryDirectory(prefix=script.stem + ".") as folder, \
            tempfile.TemporaryFile() as log:
        process = subprocess.Popen([str(script)], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                   cwd=folder, env=dict(os.environ, TMPDIR=folder, TZ="UTC"), start_new_session=True)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        try:
            os.killpg(process.pid, signal.SIGKILL)  # also what the script left behind
        except ProcessLookupError:
            pass
        process.wait()
        log.seek(0)
        return code, log.read().decode(errors="replace")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--limit", type=int, default=300)
    options = parser.parse_args()
    folder = pathlib.Path(options.folder).resolve()
    scripts = [p for p in sorted(folder.glob("*")) if p.suffix in (".py", ".sh") and not p.name.startswith("_")
               and p.is_file() and os.access(p, os.X_OK)]
    passed = failed = skipped = 0
    for script in scripts:
        began = time.monotonic()
        code, text = run(script, options.limit)
        took = f"{time.monotonic() - began:.1f} s"
        last = (text.strip().split("\n") or [""])[-1]
        if code == 0:
            passed += 1
            print(f"ok      {script.name} ({took})", flush=True)
        elif code == 77:
            skipped += 1
            print(f"SKIPPED {script.name}: {last}", flush=True)
        else:
            failed += 1
            why = f"exit {code}" if code is not None else f"no end after {options.limit} s"
            print(f"FAILED {script.name}: {why} ({took})\n{text[-6000:]}", flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
