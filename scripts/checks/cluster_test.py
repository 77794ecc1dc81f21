#!/usr/bin/env python3
"""What `make cluster-test` runs once a cluster is there: cluster_test.py MODEL.gguf FOLDER, with SLURM_CONF set."""

import os
import subprocess
import sys
import time
from pathlib import Path

import cluster_checks
import gambit
from outcome import require
from run_directory import REPOSITORY

SECONDS_WITHOUT_NODE = 40


def cancel(shard: int, output: Path) -> None:
    """Cancels the job that collects a shard, as an administrator would."""
    process = cluster_checks.process_of(shard, output)
    environment = Path(f"/proc/{process}/environ").read_bytes().decode().split("\0")
    job = next(line.removeprefix("SLURM_JOB_ID=") for line in environment if line.startswith("SLURM_JOB_ID="))
    subprocess.run(["scancel", job], check=True)


def take_node_away(shard: int, output: Path, slurm: Path) -> None:
    """Stops the daemon of the node that collects a shard, kills what runs there, and brings the node back later."""
    process = cluster_checks.process_of(shard, output)
    subprocess.run([REPOSITORY / "scripts" / "slurm-node", "stop-daemon", slurm], check=True)
    subprocess.run(["kill", "-9", str(process)], check=True)
    time.sleep(SECONDS_WITHOUT_NODE)
    subprocess.run([REPOSITORY / "scripts" / "slurm-node", "start-daemon", slurm], check=True)


def main() -> None:
    model, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    require(Path(os.environ["SLURM_CONF"]).is_relative_to(folder), "SLURM_CONF is not the cluster's that was started for this")
    print("cluster-test: gambit run", flush=True)
    gambit.run("run", cluster_checks.PIPELINE, "--output", folder / "run", "--set", f"model.path={model}")
    print("cluster-test: the same by Snakemake on Slurm, with three faults", flush=True)
    output, begun = folder / "jobs", time.monotonic()
    faults = [
        lambda: cluster_checks.kill(1, output), lambda: cancel(2, output),
        lambda: take_node_away(3, output, folder / "slurm")]
    cluster_checks.run_jobs("slurm", model, output, faults)
    cluster_checks.require_same_artifacts(folder / "run", output)
    states = subprocess.run(
        ["squeue", "--noheader", "--states=all", "--format=%T"], check=True, capture_output=True, text=True).stdout
    require("COMPLETED" in states, "no job of Slurm's ran to its end")
    print(f"cluster-test: the same bytes, in {time.monotonic() - begun:.0f} s and {len(states.split())} jobs of Slurm's")


if __name__ == "__main__":
    main()
