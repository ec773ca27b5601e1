"""OpenVINO starts without telemetry, for two threads at once, and leaves the process's locale alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from efficientscn_trt.segmenter import default_bundle


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_telemetry_is_left_out() -> None:
    code = "import sys, efficientscn_trt.backends.cpu; print('openvino_telemetry' in sys.modules)"
    assert _run(code) == "False"


def test_telemetry_that_the_caller_uses_stays() -> None:
    code = "import sys; sys.modules['openvino_telemetry'] = sys; import efficientscn_trt.backends.cpu; "
    assert _run(code + "print(sys.modules['openvino_telemetry'] is sys)") == "True"


@pytest.mark.parametrize("attempt", range(3))
def test_two_threads_may_have_the_first_array(attempt: int) -> None:
    """Without the setup at import, they deadlocked in most processes that switch threads this often."""
    code = f"""
import sys, threading
from efficientscn_trt.backends.openvino_start import ov
nodes = ov.Core().read_model({str(default_bundle() / "localization.onnx")!r}).get_ordered_ops()
constant = next(node for node in nodes if node.get_type_name() == "Constant")
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(2)
def read():
    barrier.wait()
    print(constant.data.size > 0)
threads = [threading.Thread(target=read, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(20)
assert not any(thread.is_alive() for thread in threads), "they wait for each other"
"""
    assert "True" in _run(code)


def test_networks_that_compile_at_once_leave_the_locale() -> None:
    """Without the lock, eight backends on four threads left "C" in nearly every process."""
    code = """
import locale
from concurrent.futures import ThreadPoolExecutor
from efficientscn_trt.backends.cpu import CpuBackend
from efficientscn_trt.bundle import load
from efficientscn_trt.segmenter import default_bundle
bundle = load(default_bundle())
locale.setlocale(locale.LC_ALL, "C.UTF-8")
with ThreadPoolExecutor(4) as pool:
    backends = list(pool.map(lambda _: CpuBackend(bundle, "fp32", 0), range(8)))
for backend in backends:
    backend.trim()  # waits until its second network is loaded
print(locale.setlocale(locale.LC_CTYPE))
"""
    assert _run(code) == "C.UTF-8"
