"""What the scripts of this folder share: running the program, and telling all that is wrong, not only the first."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VEDETTE = str(pathlib.Path(os.environ.get("VEDETTE", ROOT / "build/release/vedette")).resolve())
SMALL = str(ROOT / "test/cli/scan/small.log")
problems = []


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def vedette(*args, **options):
    """Runs it; `out` and `err` are bytes."""
    options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
    done = subprocess.run([VEDETTE, *args], stdout=options.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, timeout=50, check=False,
                          **{k: v for k, v in options.items() if v is not None})
    return Done(done.returncode, done.stdout or b"", done.stderr)


def check(holds, what, done=None):
    if not holds:
        problems.append(what)
        print(f"wrong: {what}")
        if done is not None:
            print(f"  exit {done.code}\n  stdout {done.out[:600]!r}\n  stderr {done.err[-1200:]!r}")
    return holds


def finish():
    sys.exit(1 if problems else 0)
