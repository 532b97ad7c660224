"""Which number types this machine computes in, as against emulates."""

import os
import pathlib
import re

# Of /proc/cpuinfo: x86's AVX512 and AMX, and Arm's.
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
_GPUS = ("nvidia[0-9]*", "kfd")


def usable_dtype_policy(policy):
    """The dtype policy of a recipe, or "float32" where this machine emulates it.

    Measured on a processor with AVX2 alone: `sagan_32_small` trained on 7 images a
    second in mixed_bfloat16 and on 41 to 63 in float32 (benchmarks/RESULTS.md).

    Args:
        policy: str. "float32", "mixed_bfloat16" or "float64".
    """
    if policy == "mixed_bfloat16" and not computes_in_bfloat16():
        return "float32"
    return policy


def computes_in_bfloat16(cpuinfo="/proc/cpuinfo", devices="/dev"):
    """Whether the processor or a visible GPU has instructions for bfloat16.

    True where it cannot be found out.

    Args:
        cpuinfo: path of the processor's description, as Linux writes it.
        devices: path of the directory of device files.
    """
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    found = (any(pathlib.Path(devices).glob(name)) for name in _GPUS)
    if not hidden and any(found):
        return True
    try:
        text = pathlib.Path(cpuinfo).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", text, flags=re.MULTILINE)
    return flags is None or not _BFLOAT16.isdisjoint(flags[1].split())
