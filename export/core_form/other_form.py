"""Why the core cannot run a network."""

from __future__ import annotations


class OtherForm(Exception):
    """The core cannot run a network. The message says what it has of another form, as in "... because M"."""


NO_UNET = "no U-Net of the paper's form takes the image"
