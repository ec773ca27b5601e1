"""Time the networks in PyTorch: `python pytorch_networks.py SIZES REPEATS FOLDER` prints one line of JSON.

This runs in a Python that has PyTorch and may lack this package, so FOLDER holds `networks.py`. SIZES is a
JSON list of the input sizes (z, y, x) of the localization and the segmentation network.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import torch
from pytorch_peak import peak_flops


def main() -> None:
    """Time both networks, eager and compiled."""
    sizes, repeats, folder = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    sys.path.insert(0, folder)
    networks = importlib.import_module("networks")

    models = {
        "localization": (networks.localization_network(), sizes[0]),
        "segmentation": (networks.SpatialConfigurationNet(), sizes[1]),
    }
    results: dict[str, Any] = {}
    for name, (model, size) in models.items():
        layout = torch.channels_last_3d
        model = model.eval().half().cuda().to(memory_format=layout)
        image = torch.rand(1, 1, *size, dtype=torch.float16, device="cuda").to(memory_format=layout)
        ways = {"eager": model, "compile": torch.compile(model, dynamic=False)}
        results[name] = {"size": size}
        for way, run in ways.items():
            try:
                results[name][way] = _measure(run, image, repeats)
            except Exception as error:  # the compiler may still take the other network
                results[name][way] = {"error": str(error).strip().splitlines()[0][:300]}
    versions = {"torch": torch.__version__, "cuda": torch.version.cuda, "card": torch.cuda.get_device_name()}
    print(json.dumps({"versions": versions, "networks": results, "peak_flops": _peak()}))


def _peak() -> dict[str, float]:
    try:
        return peak_flops()
    except Exception as error:  # such as too little memory; the networks' times are useful without a peak
        print(error, file=sys.stderr)
        return {}


@torch.inference_mode()
def _measure(run: Any, image: torch.Tensor, repeats: int) -> dict[str, float]:
    for _ in range(5):
        run(image)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    held = torch.cuda.memory_allocated()
    events = [
        (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(repeats)
    ]
    for begin, end in events:
        begin.record()
        run(image)
        end.record()
    torch.cuda.synchronize()
    times = sorted(begin.elapsed_time(end) / 1000 for begin, end in events)
    return {
        "median": times[len(times) // 2],
        "peak_bytes": torch.cuda.max_memory_allocated() - held,
    }


if __name__ == "__main__":
    main()
