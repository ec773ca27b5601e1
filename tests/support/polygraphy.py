"""Polygraphy, NVIDIA's tool, run with the command lines that `build` prints."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

# The extra `build` installs the bindings of TensorRT-RTX, but not the package that gives them this name.
METAPACKAGE = "from tensorrt_rtx_bindings import *; from tensorrt_rtx_bindings import __version__"

PARSE = """
import json, sys
from polygraphy.tools import main
from polygraphy.tools.args import TrtConfigArgs
from polygraphy.tools.convert.convert import Convert

def show(self, args):
    config = self.arg_groups[TrtConfigArgs]
    profiles = [{name: [list(shape) for shape in found] for name, found in profile.items()}
                for profile in config.profile_dicts]
    print(json.dumps({"options": {name: repr(value) for name, value in vars(config).items()},
                      "profiles": profiles, "model": args.model_file, "output": args.output}))
    return 0

Convert.run = show
sys.exit(main(sys.argv[1:]))
"""


def run_polygraphy(line: str, folder: Path, *more: str) -> None:
    """Run the command `line` and `more` options in `folder`, as a shell would."""
    (folder / "tensorrt_rtx.py").write_text(METAPACKAGE)
    bin = str(Path(sys.executable).parent)
    environment = {**os.environ, "PYTHONPATH": str(folder), "PATH": f"{bin}:{os.environ['PATH']}"}
    done = subprocess.run(
        f"{line} {shlex.join(more)}", shell=True, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def polygraphy_as_run(command: str) -> str:
    """The shell command `command` as it runs without a GPU: what would run an engine is only understood."""
    script = " --gen-script /dev/null" if "--trt " in command else ""
    return f"printf '{METAPACKAGE}' > tensorrt_rtx.py; export PYTHONPATH=.; {command}{script}"


def parse_polygraphy(line: str) -> dict[str, Any]:
    """What Polygraphy itself understands of the command `line`. Nothing is built."""
    words = shlex.split(line)
    start = words.index("polygraphy")
    variables = dict(word.split("=", 1) for word in words[:start])
    done = subprocess.run(
        [sys.executable, "-c", PARSE, *words[start + 1 :]],
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
