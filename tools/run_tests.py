#!/usr/bin/python3
"""All tests, in stages with time limits. The last line is `N passed, N failed[, N skipped]`; exit 1 if any failed.

  run_tests.py [STAGE...]        default: $VEDETTE_TEST_STAGES, else all of
  deps lint build unit golden cli docs rules integration asan tsan fuzz        (and only by name: soak)

$VEDETTE_DATA: the folder of real data, default ../shared beside the repository; what needs it and does not find it is
SKIPPED. A stage whose program cannot be built is a failure.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$")
DOCTEST = re.compile(r"^\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

SANITIZERS = {
    # A report ends the program with a code of its own, never one of ours.
    "ASAN_OPTIONS": "exitcode=66:detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1",
    "LSAN_OPTIONS": f"exitcode=66:suppressions={ROOT}/test/lsan.supp",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": f"exitcode=66:halt_on_error=1:suppressions={ROOT}/test/tsan.supp",
    "VEDETTE_CASE_SECONDS": "300",
}


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped=0):
        self.passed, self.failed, self.skipped = self.passed + passed, self.failed + failed, self.skipped + skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def environment(preset="release", **more):
    base = dict(os.environ)
    base.setdefault("VEDETTE_DATA", str(ROOT.parent / "shared"))
    base["VEDETTE_DATA"] = os.path.abspath(base["VEDETTE_DATA"])
    base.update(VEDETTE=str(ROOT / "build" / preset / "vedette"), VEDETTE_BUILD=str(ROOT / "build" / preset),
                LC_ALL="C.UTF-8")
    base.update({k: v for k, v in more.items()})
    return base


def execute(command, limit, env):
    """(exit code or None when it took too long, lines); what it prints is passed on as it comes."""
    process = subprocess.Popen([str(c) for c in command], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    late = threading.Event()

    def stop():
        late.set()
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    timer = threading.Timer(limit, stop)
    timer.start()
    lines = []
    for raw in process.stdout:
        line = COLOUR.sub("", raw.decode(errors="replace").rstrip("\n"))
        lines.append(line)
        print("  " + line, flush=True)
    code = process.wait()
    timer.cancel()
    return (None if late.is_set() else code), lines


def test(tally, command, limit, env, empty_is_failure=False):
    """Runs one command and adds what its counts say; without counts it is itself one test."""
    code, lines = execute(command, limit, env)
    found = [m for m in (COUNTS.match(x) or DOCTEST.match(x) for x in lines) if m]
    if code is None:
        print(f"  FAILED: no end after {limit} s")
    if not found:
        tally.add(int(code == 0), int(code != 0))
        return
    passed, failed, skipped = (int(x or 0) for x in found[-1].groups())
    if failed == 0 and (code != 0 or (empty_is_failure and passed + skipped == 0)):
        print(f"  FAILED: exit {code}, {passed} passed")
        failed = 1
    tally.add(passed, failed, skipped)


built = {}


def configure(preset, env):
    """Silent when it works."""
    done = subprocess.run(["cmake", "--preset", preset], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(done.stdout.decode(errors="replace"), flush=True)
    return done.returncode == 0


def build(preset, targets=("vedette", "vedette_unit"), limit=1500):
    """True if the programs of a preset are there; tried once."""
    if preset not in built:
        began = time.monotonic()
        env = dict(os.environ)
        # A folder that was configured elsewhere (a copied clone) cannot be used: begin anew.
        cache = ROOT / "build" / preset / "CMakeCache.txt"
        if cache.exists() and f"CMAKE_HOME_DIRECTORY:INTERNAL={ROOT}\n" not in cache.read_text():
            cache.unlink()
        built[preset] = configure(preset, env) and execute(
            ["cmake", "--build", ROOT / "build" / preset, "--target", *targets], limit, env)[0] == 0
        state = "built" if built[preset] else "FAILED: cannot build"
        print(f"  {state} {preset} in {time.monotonic() - began:.0f} s", flush=True)
    return built[preset]


def test_unit(tally, preset, limit, env):
    test(tally, [ROOT / "build" / preset / "vedette_unit"], limit, env, True)


def stage_unit(tally):
    if build("release"):
        test_unit(tally, "release", 300, environment())
    else:
        tally.add(0, 1)


# ---- stages: each adds to a tally ------------------------------------------------------------------------------------


def stage_deps(tally):
    test(tally, [TOOLS / "deps.sh"], 900, environment())


def stage_lint(tally):
    test(tally, [TOOLS / "lint.py"], 300, environment())


def stage_build(tally):
    tally.add(int(build("release")), int(not build("release")))


def with_release(command, limit, empty_is_failure=False, **env):
    def stage(tally):
        if build("release"):
            test(tally, command, limit, environment(**env), empty_is_failure)
        else:
            tally.add(0, 1)
    return stage


def stage_rules(tally):
    if not build("release"):
        tally.add(0, 1)
    elif not any((ROOT / "content" / "rules").glob("**/*.test.yaml")):
        print("  FAILED: no rule in content/rules has tests")
        tally.add(0, 1)
    else:
        test(tally, [ROOT / "build/release/vedette", "rules", "test", "content/rules"], 300, environment())


def stage_cli(tally):
    if not build("release"):
        tally.add(0, 1)
        return
    if any((ROOT / "test" / "cli").glob("**/*.yaml")):
        test(tally, [TOOLS / "golden.py", "--modes", "none", ROOT / "test" / "cli"], 300, environment())
    test(tally, [TOOLS / "run_scripts.py", ROOT / "test" / "cli", "--limit", "60"], 300, environment())


def sanitized(preset, modes):
    def stage(tally):
        if not build(preset):
            tally.add(0, 1)
            return
        env = environment(preset, **SANITIZERS)
        test_unit(tally, preset, 900, env)
        test(tally, [TOOLS / "golden.py", "--modes", modes, "--program", env["VEDETTE"]], 900, env)
    return stage


def stage_fuzz(tally):
    if not any((ROOT / "fuzz").glob("*.cpp")):
        print("  FAILED: fuzz/ has no target")
        tally.add(0, 1)
    elif build("fuzz", ("vedette_fuzz",)):
        # A test run looks where the last one looked; searching on is for `make fuzz`.
        wanted = os.environ.get("VEDETTE_FUZZ_SECONDS")
        seconds, seed = wanted or "240", "0" if wanted else "1"
        test(tally, [TOOLS / "fuzz.py", "--seconds", seconds, "--seed", seed], int(seconds) + 600, environment("fuzz"))
    else:
        tally.add(0, 1)


def stage_soak(tally):
    """Full clang-tidy, then test/soak/*, an hour each at most."""
    env = environment()
    if configure("tidy", env) and execute(
            ["cmake", "--build", "build/tidy", "--target", "generated/embedded.cpp"], 300, env)[0] == 0:
        test(tally, ["run-clang-tidy-19", "-quiet", "-clang-tidy-binary", "clang-tidy-19", "-p", "build/tidy",
                     f"^{re.escape(str(ROOT))}/src/"], 7200, env)
    else:
        tally.add(0, 1)
    with_release([TOOLS / "run_scripts.py", ROOT / "test" / "soak", "--limit", "3600"], 36000)(tally)


STAGES = {
    "deps": stage_deps,
    "lint": stage_lint,
    "build": stage_build,
    "unit": stage_unit,
    "golden": with_release([TOOLS / "golden.py"], 600, True),
    "cli": stage_cli,
    "docs": with_release([TOOLS / "docs_test.py"], 600),
    "rules": stage_rules,
    "integration": with_release([TOOLS / "run_scripts.py", ROOT / "test" / "integration", "--limit", "300"], 1200),
    "asan": sanitized("asan", "read-7,workers-2-read-3"),
    "tsan": sanitized("tsan", "workers-4"),
    "fuzz": stage_fuzz,
    "soak": stage_soak,
}


def main():
    names = sys.argv[1:] or os.environ.get("VEDETTE_TEST_STAGES", "").split() or [s for s in STAGES if s != "soak"]
    unknown = [n for n in names if n not in STAGES]
    if unknown:
        print(f"there is no stage {' '.join(unknown)}; there are {' '.join(STAGES)}", file=sys.stderr)
        return 2
    total, summary = Tally(), []
    for name in names:
        print(f"== {name}", flush=True)
        began, tally = time.monotonic(), Tally()
        try:
            STAGES[name](tally)
        except Exception as error:  # a broken stage is a failure, not the end of the run
            print(f"  FAILED: {type(error).__name__}: {error}")
            tally.add(0, 1)
        summary.append(f"{name:<12} {tally}  ({time.monotonic() - began:.0f} s)")
        print(f"== {summary[-1]}", flush=True)
        total.add(tally.passed, tally.failed, tally.skipped)
    print("\n" + "\n".join(summary) + "\n")
    # For .ci/run: make has a last word of its own when a test failed.
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "test.summary").write_text(f"{total}\n")
    print(total, flush=True)
    return 1 if total.failed or total.passed + total.skipped == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
