#!/usr/bin/python3
"""The guards of the house do stop what they are there to stop: layers, banned calls, plugin lists."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LAYERS = "base:\nevent: base\ndecode: event base\nsource: event base\n"
KV = "namespace vedette::decode::kv {\nDecoderSpec spec() { return {}; }\n}\n"
failures = []


def house(files):
    """A small house with the real guards."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TMPDIR")))
    shutil.copytree(ROOT / "tools", folder / "tools")
    shutil.copytree(ROOT / "cmake", folder / "cmake")
    for name, text in {"src/layers.txt": LAYERS, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def expect(what, command, folder, said):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    text = " ".join((done.stdout + done.stderr).split())
    good = (done.returncode == 0) if said is None else (done.returncode != 0 and said in text)
    if not good:
        failures.append(what)
        print(f"{what}: expected {said!r}, exit {done.returncode}: {text[:800]}")


def layers(what, files, said):
    expect(what, ["tools/check_layers.py"], house(files), said)


def configure(what, files, said):
    """Only the room part of the build: no compiler is needed to see that list and folder differ."""
    lists = 'cmake_minimum_required(VERSION 3.25)\nproject(t NONE)\ninclude(cmake/VedetteRoom.cmake)\n' \
            'file(GLOB s "src/decode/*.cpp")\n_vedette_check_def(decode "${CMAKE_SOURCE_DIR}/src/decode/decode.def" "${s}")\n'
    expect(what, ["cmake", "-S", ".", "-B", "out"], house({"CMakeLists.txt": lists, **files}), said)


layers("a clean house", {"src/event/a.hpp": '#include "base/b.hpp"\nnamespace vedette::event {}\n'}, None)
layers("sibling", {"src/decode/a.hpp": '#include "source/b.hpp"\n'}, "src/decode/a.hpp:1: decode must not include source")
layers("upward", {"src/base/a.hpp": '#include "event/b.hpp"\n'}, "base must not include event")
layers("cycle", {"src/layers.txt": "base: event\nevent: base\n"}, "base names event, which is not above it")
layers("new room", {"src/attic/a.hpp": ""}, "room attic is missing")
layers("regex", {"src/base/a.cpp": "#include <regex>\n"}, "<regex> is banned")
layers("time", {"src/event/a.cpp": "auto t = std::chrono::steady_clock::now();\n"}, "reads the time")
layers("time in a comment", {"src/event/a.cpp": "// clock::now()\n"}, None)
layers("heavy", {"src/event/a.hpp": "#include <re2/re2.h>\n"}, "heavy")
layers("heavy twice", {f"src/event/{n}.cpp": "#include <re2/re2.h>\n" for n in "ab"}, "in more than one file")
layers("namespace", {"src/event/a.hpp": "namespace vedette::source {}\n"}, "should be vedette::event")
layers("order", {"src/decode/decode.def": "VEDETTE_DECODER(kv)\nVEDETTE_DECODER(cef)\n", "src/decode/kv.cpp": KV,
                 "src/decode/cef.cpp": KV.replace("kv", "cef")}, "cef is out of order")
layers("long", {"src/base/a.cpp": "int a;\n" * 501}, "501 lines")
layers("long with a reason", {"src/base/a.cpp": "// long: a table\n" + "int a;\n" * 501}, None)

configure("listed", {"src/decode/decode.def": "VEDETTE_DECODER(kv)\n", "src/decode/kv.cpp": KV,
                     "src/decode/registry.cpp": "DecoderSpec spec();\n"}, None)
configure("not listed", {"src/decode/decode.def": "", "src/decode/kv.cpp": KV},
          "src/decode/kv.cpp is not listed in decode.def")
configure("no file", {"src/decode/decode.def": "VEDETTE_DECODER(cef)\n"}, "there is no src/decode/cef.cpp")

print(f"{len(failures)} guards do not hold" if failures else "all guards hold")
sys.exit(1 if failures else 0)
