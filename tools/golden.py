#!/usr/bin/python3
"""Runs golden cases: a command, its input, and the exact output it must give.

  golden.py [--update] [--modes all|none|NAME,...] [--list] [PATH...]

PATH: folders or cases (default: test/golden). A case is three files side by side:

  NAME.yaml   # doc: what it shows          (first line, obligatory)
              run: decode {in} --year 2026  (string or list; {in}: the input file, {dir}: folder of the case)
              stdin: true                   feed the input on stdin                   (default false)
              exit: 0                       expected exit code                        (default 0)
              stderr: true                  compare stderr too                        (default false)
              modes: false                  or a list of the only modes to run it in  (default: all that fit)
              needs: NAME                   file under $VEDETTE_DATA; absent = SKIPPED
  NAME.in     raw bytes (or NAME.in.gz, NAME.in.zst as they are; may be missing if run does not name {in})
  NAME.out    expected stdout; then, with stderr, a line `--- stderr` and the expected stderr

Cases run in their own folder, so outputs name inputs as NAME.in. Modes are test/modes/*.yaml: the same case done
differently must give the same bytes:

  # doc: ...                                (first line)
  name: gz
  args: [--workers, "4"]                    appended to the command
  input: path | stdin | gz | zst            how the input arrives          (default path)
  shuffle: 300                              lines disordered by up to so many seconds
  commands: [scan, decode]                  where it applies               (default both)
  ignore: [id]                              event ids, alert ids and revisions are left out of the comparison

Times of events that have none but their arrival are compared as the word ARRIVAL.

The last line is `N passed, N failed[, N skipped]`. --update writes what the program says as the new .out.
"""
import argparse
import concurrent.futures
import dataclasses
import datetime
import difflib
import gzip
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASE_KEYS = {"run", "stdin", "exit", "stderr", "modes", "needs"}
MODE_KEYS = {"name", "args", "input", "shuffle", "commands", "ignore"}
SPLIT = b"--- stderr\n"
# An event without a time of its own has that of its arrival: nobody can know it before.
ARRIVAL = re.compile(rb'("time":")[^"]*(","time_from":"arrival")')
TIME_LIMIT = int(os.environ.get("VEDETTE_CASE_SECONDS", "120"))


class Bad(Exception):
    """A case or mode that is written wrongly."""


@dataclasses.dataclass
class Case:
    path: pathlib.Path
    run: list
    stdin: bool
    exit: int
    stderr: bool
    modes: object
    needs: str
    input: pathlib.Path | None

    @property
    def out(self):
        return self.path.with_suffix(".out")

    @property
    def name(self):
        return str(self.path.relative_to(ROOT).with_suffix("")) if self.path.is_relative_to(ROOT) else str(self.path)


@dataclasses.dataclass
class Mode:
    name: str
    args: list
    input: str = "path"
    shuffle: int = 0
    commands: tuple = ("scan", "decode")
    ignore: tuple = ()


def load(path, keys):
    text = path.read_text(encoding="utf-8")
    if not re.match(r"# doc: \S", text):
        raise Bad(f"{path}:1: the first line must be `# doc: ...`")
    data = yaml.safe_load(text) or {}
    for key in data:
        if key not in keys:
            raise Bad(f"{path}: unknown key {key}; known: {' '.join(sorted(keys))}")
    return data


def load_case(path):
    data = load(path, CASE_KEYS)
    run = data.get("run")
    if isinstance(run, str):
        run = shlex.split(run)
    if not isinstance(run, list):
        raise Bad(f"{path}: run is missing")
    files = [p for end in (".in", ".in.gz", ".in.zst") if (p := path.with_suffix(end)).exists()]
    uses = any("{in}" in str(a) for a in run) or data.get("stdin", False)
    if uses and not files:
        raise Bad(f"{path}: {path.stem}.in is missing")
    return Case(path, [str(a) for a in run], bool(data.get("stdin", False)), int(data.get("exit", 0)),
                bool(data.get("stderr", False)), data.get("modes", True), data.get("needs", ""),
                files[0] if files else None)


def load_mode(path):
    data = load(path, MODE_KEYS)
    mode = Mode(str(data.get("name", path.stem)), [str(a) for a in data.get("args", [])], data.get("input", "path"),
                int(data.get("shuffle", 0)), tuple(data.get("commands", ("scan", "decode"))),
                tuple(data.get("ignore", ())))
    if mode.input not in ("path", "stdin", "gz", "zst"):
        raise Bad(f"{path}: input must be path, stdin, gz or zst")
    if set(mode.ignore) - {"id"}:
        raise Bad(f"{path}: ignore can only name id")
    return mode


# ---- modes -----------------------------------------------------------------------------------------------------------

STAMPS = [
    (re.compile(rb"^(?:<\d+>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) "), "%Y %b %d %H:%M:%S", "2000 "),
    (re.compile(rb"^(?:<\d+>1 )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"), "%Y-%m-%dT%H:%M:%S", ""),
    (re.compile(rb"^[^\[]{3,200}\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d) "), "%d/%b/%Y:%H:%M:%S", ""),
]


def stamp(line):
    for pattern, form, prefix in STAMPS:
        found = pattern.match(line)
        if found:
            try:
                return datetime.datetime.strptime(prefix + found.group(1).decode(), form).timestamp()
            except ValueError:
                return None
    return None


def shuffled(data, seconds):
    """Lines disordered by at most `seconds`; None where that cannot be said (no stamps, a new year, a torn end)."""
    if not data.endswith(b"\n"):
        return None
    lines = data.split(b"\n")[:-1]
    times = [stamp(line) for line in lines]
    if None in times or len(lines) < 2 or max(times) - min(times) > 100 * 86400:
        return None
    rand = random.Random(1)
    keyed = [(t + rand.uniform(0, seconds), i) for i, t in enumerate(times)]
    return b"".join(lines[i] + b"\n" for _, i in sorted(keyed))


def fits(case, mode):
    if case.modes is False or (isinstance(case.modes, list) and mode.name not in case.modes):
        return False
    command = case.run[0] if case.run else ""
    if command not in mode.commands or case.input is None or case.input.suffix != ".in":
        return False
    reads_path = "{in}" in case.run
    if mode.input != "path" and not reads_path:
        return False
    if mode.shuffle and ("--lateness" in case.run or not reads_path or shuffled(case.input.read_bytes(), mode.shuffle) is None):
        return False
    # What a person reads names files and ids freely; only JSON can be compared without them.
    if mode.ignore and command == "scan" and "--json" not in case.run:
        return False
    return not any(a.split("=")[0] in {x.split("=")[0] for x in case.run} for a in mode.args if a.startswith("--"))


def without_ids(out):
    """NDJSON without event ids, alert ids and revisions; numbers and order of keys stay as printed."""
    lines = []
    for line in out.split(b"\n"):
        try:
            record = json.loads(line, parse_int=lambda s: {"n": s}, parse_float=lambda s: {"n": s})
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            lines.append(line)
            continue
        for key in ("id", "revision"):
            record.pop(key, None)
        for event in record.get("evidence") or []:
            if isinstance(event, dict):
                event.pop("id", None)
        lines.append(json.dumps(record).encode())
    return b"\n".join(lines)


# ---- running ---------------------------------------------------------------------------------------------------------


def command_of(case, mode, folder):
    """argv after the program, bytes for stdin (or None)."""
    source = "" if case.input is None else case.input.name
    feed = case.input.read_bytes() if case.stdin else None
    if mode and (mode.input != "path" or mode.shuffle):
        data = case.input.read_bytes()
        if mode.shuffle:
            data = shuffled(data, mode.shuffle)
        if mode.input == "stdin":
            source, feed = "-", data
        else:
            path = folder / case.input.name
            if mode.input == "gz":
                path, data = folder / (path.name + ".gz"), gzip.compress(data, mtime=0)
            elif mode.input == "zst":
                path = folder / (path.name + ".zst")
                data = subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
            path.write_bytes(data)
            shutil.copystat(case.input, path)
            source = str(path)
    argv = [a.replace("{in}", source).replace("{dir}", ".") for a in case.run]
    return argv + (mode.args if mode else []), feed


def execute(program, case, mode):
    """(exit code, stdout, stderr)"""
    with tempfile.TemporaryDirectory(prefix="golden.") as folder:
        argv, feed = command_of(case, mode, pathlib.Path(folder))
        environment = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", TMPDIR=folder, COLUMNS="80")
        try:
            done = subprocess.run([program, *argv], input=feed, cwd=case.path.parent, env=environment,
                                  stdin=None if feed is not None else subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIME_LIMIT, check=False)
        except subprocess.TimeoutExpired:
            return -1, b"", f"no end after {TIME_LIMIT} s\n".encode()
        return done.returncode, ARRIVAL.sub(rb'\1ARRIVAL\2', done.stdout), done.stderr


def printable(data):
    return data.decode("utf-8", "backslashreplace").split("\n")


def difference(want, got):
    lines = list(difflib.unified_diff(printable(want), printable(got), "expected", "printed", lineterm="", n=2))
    return "\n".join("    " + x[:400] for x in lines[:40])


def judge(case, mode, code, out, err):
    """What is wrong, or None."""
    if code != case.exit:
        return f"exit {code}, expected {case.exit}\n" + "\n".join("    " + x for x in printable(err[-3000:]))
    if not case.out.exists():
        return f"{case.out.name} is missing; see what it prints and take it with --update"
    want, _, want_err = case.out.read_bytes().partition(SPLIT) if case.stderr else (case.out.read_bytes(), b"", b"")
    if mode and mode.ignore:
        want, out = without_ids(want), without_ids(out)
    if want != out:
        return "stdout differs\n" + difference(want, out)
    if case.stderr and not mode and want_err != err:
        return "stderr differs\n" + difference(want_err, err)
    return None


def run_one(program, case, mode, update):
    code, out, err = execute(program, case, mode)
    if update and not mode:
        text = out + (SPLIT + err if case.stderr else b"")
        if code == case.exit and (not case.out.exists() or case.out.read_bytes() != text):
            case.out.write_bytes(text)
            print(f"updated {case.name}")
    return judge(case, mode, code, out, err)


def cases_under(paths):
    found = []
    for path in paths:
        path = pathlib.Path(path).resolve()
        if path.is_dir():
            found += sorted(path.glob("**/*.yaml"))
        else:
            found.append(path.with_suffix(".yaml"))
    return found


def plan(options):
    """The list of (case, mode or None), problems with files, number skipped."""
    problems, jobs, skipped = [], [], 0
    modes = []
    for path in sorted((ROOT / "test" / "modes").glob("*.yaml")):
        try:
            modes.append(load_mode(path))
        except (Bad, yaml.YAMLError) as error:
            problems.append(str(error))
    if options.modes != "all":
        wanted = [] if options.modes == "none" else options.modes.split(",")
        for name in wanted:
            if name not in [m.name for m in modes]:
                problems.append(f"there is no mode {name}")
        modes = [m for m in modes if m.name in wanted]
    data = pathlib.Path(os.environ.get("VEDETTE_DATA", ROOT / ".." / "shared"))
    for path in cases_under(options.paths or [ROOT / "test" / "golden"]):
        try:
            case = load_case(path)
        except (Bad, OSError, ValueError, yaml.YAMLError) as error:
            problems.append(str(error))
            continue
        if case.needs and not (data / case.needs).exists():
            print(f"SKIPPED {case.name}: {case.needs} is not under VEDETTE_DATA")
            skipped += 1
            continue
        jobs.append((case, None))
        jobs += [(case, mode) for mode in modes if fits(case, mode)]
    return jobs, problems, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--modes", default="all")
    parser.add_argument("--list", action="store_true", help="say what would run")
    parser.add_argument("--lint", action="store_true", help="only read the cases")
    parser.add_argument("--program", default=os.environ.get("VEDETTE", ROOT / "build/release/vedette"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    jobs, problems, skipped = plan(options)
    for problem in problems:
        print(f"FAILED {problem}")
    if options.lint:
        print(f"{len(jobs)} passed, {len(problems)} failed")
        return 1 if problems else 0
    if options.list:
        for case, mode in jobs:
            print(case.name, f"({mode.name})" if mode else "")
        return 0
    program = str(pathlib.Path(options.program).resolve())
    if not os.access(program, os.X_OK):
        print(f"FAILED {program} is missing; run `make build`")
        print("0 passed, 1 failed")
        return 1

    failed = len(problems)
    # With --update the plain runs write what the modes are then held against, so they go first.
    for batch in ([j for j in jobs if j[1] is None], [j for j in jobs if j[1] is not None]):
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            verdicts = pool.map(lambda j: run_one(program, j[0], j[1], options.update), batch)
            for (case, mode), wrong in zip(batch, verdicts):
                if wrong:
                    failed += 1
                    print(f"FAILED {case.name}{f' in mode {mode.name}' if mode else ''}: {wrong}")
    passed = len(jobs) + len(problems) - failed
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
