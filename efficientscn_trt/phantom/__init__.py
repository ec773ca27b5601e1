"""Abdominal CT phantoms with the truth beside them: body, spine, ribs, lungs, bowel, and the four labelled
organs.
"""

from .generate import FIRST_UNSEEN_SEED, LABEL_NAMES, Phantom, make_phantom

__all__ = ["FIRST_UNSEEN_SEED", "LABEL_NAMES", "Phantom", "make_phantom"]
