"""The forms in which the core runs the networks of a bundle, also of one whose manifest does not say them."""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import time

from ..bundle import NETWORKS, Bundle
from ..bundle.core_form import CoreForm
from ..bundle.decode import decode
from ..bundle.manifest import FIRST_WITH_CORE_FORMS
from ..errors import BundleError
from .child_process import python_command

SECONDS = 60
"""How long the search in the networks of an older bundle may take."""

_SEARCH = "from efficientscn_trt.export.core_form.search import main; main()"

_log = logging.getLogger(__name__)


def core_forms(bundle: Bundle) -> dict[str, CoreForm]:
    """The forms by network, "localization" or "segmentation", without those that only OpenVINO runs.

    The manifest says them. The networks of an older bundle are searched for them in a process of its own.
    """
    networks = bundle.manifest.networks
    if bundle.manifest.schema_version >= FIRST_WITH_CORE_FORMS:
        forms = {name: getattr(networks, name).core for name in NETWORKS}
        return {name: form for name, form in forms.items() if form is not None}
    begin = time.perf_counter()
    try:
        found = _search(bundle)
    except (OSError, RuntimeError, ValueError, BundleError, subprocess.SubprocessError) as error:
        _log.warning(
            "OpenVINO runs the networks of %s, because they were not searched: %s", bundle.path, error
        )
        return {}
    _log.warning(
        "%s was made by an older version. It was searched for networks that the core runs, which takes %.1f "
        "s at each load; export it again to save that time.",
        bundle.path,
        time.perf_counter() - begin,
    )
    return found


def _search(bundle: Bundle) -> dict[str, CoreForm]:
    done = subprocess.run(
        python_command(_SEARCH),
        input=pickle.dumps(bundle),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=SECONDS,
        check=True,
    )
    found = {name: decode(CoreForm, form) for name, form in json.loads(done.stdout).items()}
    for name, form in found.items():
        if form.sha256 != bundle.onnx(name).sha256:
            raise BundleError(f"{bundle.file(name)} was altered since the bundle was loaded.")
    return found
