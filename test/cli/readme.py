#!/usr/bin/python3
"""What README shows is what the program prints: the transcript of make run, and the configuration."""
import os
import pathlib
import re
import subprocess

from _cli import ROOT, VEDETTE, check, finish

text = (ROOT / "README.md").read_text()

# The transcript: every line as printed, in order; `[...]` stands for what was left out.
shown = re.search(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL).group(1).splitlines()
os.makedirs("clone/build/release")
for name in ("tools", "examples"):
    os.symlink(ROOT / name, f"clone/{name}")
os.symlink(VEDETTE, "clone/build/release/vedette")
done = subprocess.run(["bash", "clone/tools/run_example.sh"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
check(done.returncode == 0, f"make run's script ends with {done.returncode}: {done.stderr[-500:]!r}")
printed = done.stdout.decode().splitlines()
at = printed.index(shown[0]) if shown[0] in printed else 0
for line in shown:
    if line == "[...]":
        continue
    try:
        found = printed.index(line, at)
    except ValueError:
        check(False, f"README shows a line that is not printed (there): {line}")
        continue
    at = found + 1
check(shown.count("[...]") >= 3, "it is shortened")

# The configuration is the example.
block = re.search(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL).group(1)
example = "".join(line for line in (ROOT / "examples/this-machine.yaml").read_text().splitlines(True) if not line.startswith("#"))
check(block == example, f"README and examples/this-machine.yaml differ:\n{block}\n{example}")
check(len(block.splitlines()) <= 10, "ten lines")
check(pathlib.Path(ROOT / "docs/img/scan.png").stat().st_size < 300_000, "the screenshot is small")
finish()
