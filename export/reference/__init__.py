"""The two networks of EfficientSCN in TensorFlow, with their losses and a small trainer.

Written from the paper (Thaler et al., FLARE 2021, arXiv 2111.13630, sections 2.2 and 4.2). The array order is
that of the released checkpoints, so released weights can be loaded and trained weights can be exported.
This file imports nothing, so that ``architecture`` and ``weights`` work without TensorFlow.
"""
