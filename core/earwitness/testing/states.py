"""Whatever learns a state of named arrays: scorers, fitted frontends, fitted embedders and anchors."""

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.numpy import load_file, save_file

from earwitness.testing.bench import Learner, agree, expect, last_line
from earwitness.types import FloatArray

__all__ = ["RULES", "answer_elsewhere"]

ELSEWHERE = "from earwitness.testing.states import answer_elsewhere; answer_elsewhere()"


def learns_the_same_twice(bench: Learner) -> None:
    """Learns the same from the same material."""
    again = bench.answer_by(bench.fit(), bench.batch)
    agree(again, bench.answer(bench.batch), "by what it learned the second time")


def state_survives_another_process(bench: Learner) -> None:
    """Keeps all it learns in named arrays: another process that reads them from safetensors answers the same."""
    arrays = isinstance(bench.state, Mapping) and all(isinstance(a, np.ndarray) for a in bench.state.values())
    expect(arrays, "what it learns is no mapping of names to NumPy arrays")
    with TemporaryDirectory() as folder:
        home = Path(folder)
        save_file({key: np.ascontiguousarray(a) for key, a in bench.state.items()}, home / "state")
        (home / "bench").write_bytes(pickle.dumps((type(bench), bench.made_of)))
        path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", ELSEWHERE, folder], env=path, capture_output=True, text=True)
        expect(done.returncode == 0, f"another process fails: {last_line(done.stderr)}")
        agree(np.load(home / "answer.npy"), bench.answer(bench.batch), "in another process")


def answer_elsewhere() -> None:
    """What that other process does: read a state from the folder that it is given, and leave an answer there."""
    home = Path(sys.argv[1])
    kind, made_of = pickle.loads((home / "bench").read_bytes())  # noqa: S301 - written by the rule above
    bench: Learner = kind(*made_of)
    answer: FloatArray = bench.answer_by(load_file(home / "state"), bench.batch)
    np.save(home / "answer.npy", answer)


RULES = (learns_the_same_twice, state_survives_another_process)
