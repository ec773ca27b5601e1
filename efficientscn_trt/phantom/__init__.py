"""Abdominal CT phantoms with their ground truth: body, spine, ribs, lungs, bowel, and the four organs."""

from .generate import FIRST_UNSEEN_SEED, LABEL_NAMES, Phantom, make_phantom

__all__ = ["FIRST_UNSEEN_SEED", "LABEL_NAMES", "Phantom", "make_phantom"]
