"""How one of several processes ends. Whole runs in test_processes.py show that all decide alike."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.strategies.launchers import subprocess_script

from impasto.engine.together import part_ways

MAIN_THAT_REPORTS_ITS_END = """
import atexit
atexit.register(print, "the interpreter was taken down")
from impasto.cli.app import main
main()
"""


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["about", "nowhere"], 2)])
def test_one_of_several_processes_prints_everything_and_skips_the_interpreters_shutdown(
    arguments: list[str], code: int
) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "LOCAL_RANK": "0"}
    command = [sys.executable, "-c", MAIN_THAT_REPORTS_ITS_END, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=100)
    assert done.returncode == code
    assert "impasto" in done.stdout + done.stderr
    assert "taken down" not in done.stdout


def test_no_process_is_killed_for_another_that_left_after_they_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(subprocess_script.os, "kill", lambda process, _: killed.append(process))
    launcher = subprocess_script._SubprocessScriptLauncher(LightningEnvironment(), num_processes=2, num_nodes=1)
    observer = subprocess_script._ChildProcessObserver(main_pid=os.getpid(), child_processes=launcher.procs)

    def failed() -> None:
        launcher.procs.append(subprocess.Popen([sys.executable, "-c", "raise SystemExit(2)"]))
        launcher.procs[-1].wait()

    class Two(Fabric):
        world_size, strategy = 2, SimpleNamespace(launcher=launcher)  # type: ignore[assignment]

        def barrier(self, name: str | None = None) -> None:
            raise RuntimeError("the other has gone")

    failed()
    part_ways(Two(accelerator="cpu", devices=1))
    assert observer._run()  # it observes nothing any more
    assert killed == []
    failed()
    assert observer._run()
    assert killed == [os.getpid()]  # so this observer would have killed it
