"""The command line `efficientscn-trt`. Each command has its own module, which is imported when it is called.

A new command is one line in `COMMANDS`. Its module imports heavy packages inside the command's function.
"""

from __future__ import annotations

import importlib
import io
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

import click

from . import stop_signals
from .failure import exit_code_of

COMMANDS = {
    "segment": ("segment:segment", "Label the organs in a CT scan."),
    "batch": ("batch:batch", "Label the organs in many CT scans, and go on where it was stopped."),
    "demo": ("demo:demo", "Download a real CT and label it: a first try without your own scan."),
    "info": ("info:info", "Show what is in a bundle and which devices can run it."),
    "benchmark": ("benchmark:benchmark", "Measure the time and memory of a bundle on this machine."),
    "validate": (
        "validate:validate",
        "Compare a bundle on this machine with the models it was exported from.",
    ),
    "evaluate": ("evaluate:evaluate", "Compare label maps with reference label maps (DSC, NSD)."),
    "evaluate-phantoms": (
        "evaluate_phantoms:evaluate_phantoms",
        "Compare a bundle's label maps of phantoms with their ground truth.",
    ),
    "build": ("build:build", "Build a bundle's TensorRT engines for a target GPU."),
    "inspect": ("inspect_plan:inspect", "Show which TensorRT built an engine, without loading it."),
    "bundle": ("bundle:bundle", "Sign a bundle, or verify who signed it."),
    "export": ("export:export", "Turn two trained TensorFlow models into a bundle."),
    "reference-model": ("reference_model:reference_model", "Write a reference network as a SavedModel."),
    "train": ("train:train", "Train a network on your own cases or on phantoms."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of `COMMANDS`: what a new user needs comes first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of `cmd_name`. Returns None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(f".{module}", __name__), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="efficientscn-trt", prog_name="efficientscn-trt")
def group() -> None:
    """Find liver, kidneys, spleen and pancreas in abdominal CT scans.

    \b
    A first try, without your own scan:
        efficientscn-trt demo
    Your own scan (NIfTI, NRRD, MetaImage, or a folder with a DICOM series):
        efficientscn-trt segment ct.nii.gz -o labels.nii.gz --preview preview.png

    For research. Not a medical device: a label map must not guide care without a physician's review.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with `arguments` (default: the process's) and return its exit code.

    0 success; 2 wrong usage; 3 and above, one for each class of `efficientscn_trt.errors`; 69 a missing
    optional package; 70 a fault of this program; 130 Ctrl-C; 143 SIGTERM.
    """
    return exit_code_of(lambda: group.main(arguments, "efficientscn-trt", standalone_mode=False))


def main() -> NoReturn:
    """Entry point of the console script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A table may have characters that the terminal's encoding lacks.
        sys.stdout.reconfigure(errors="replace")
    # pydicom's remarks about odd headers are for programmers; what matters is in our own warnings.
    warnings.filterwarnings("ignore", module="pydicom")
    code = run()
    stop_signals.ignore()
    sys.exit(code)
