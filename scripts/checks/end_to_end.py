#!/usr/bin/env python3
"""The demo's pipeline on the real model, and everything that is promised of what it leaves behind.

    "$(scripts/python-environment)" scripts/checks/end_to_end.py MODEL.gguf [UNIT_PASSED UNIT_FAILED]

Expects the program at .build/release/gambit, or where GAMBIT_PROGRAM says. The last line is `N passed, M failed`, in which the unit tests'
counts are included where these are given; exits with 1 where M is not zero.
"""

import sys
import tempfile
from pathlib import Path

import bundle_checks
import cluster_checks
import collection_checks
import comparison_checks
import documentation_checks
import evaluation_checks
import gambit
import handoff_checks
import library_checks
import onnx_checks
import parity_checks
import quantization_checks
import refusal_checks
import runtime_checks
import schema_checks
from check_run import check_run
from outcome import Outcome, require
from run_directory import REPOSITORY, RunDirectory

PIPELINE = REPOSITORY / "pipelines" / "smollm2-demo.yaml"


def pipeline_runs(run: RunDirectory, model: Path) -> None:
    """run: the demo's pipeline ends well."""
    gambit.run("run", PIPELINE, "--output", run.root, "--set", f"model.path={model}")


def second_run_does_nothing(run: RunDirectory, model: Path) -> None:
    """run: a second run leaves every file as it was."""
    before = gambit.modification_times(run.root)
    gambit.run("run", PIPELINE, "--output", run.root, "--set", f"model.path={model}")
    require(gambit.modification_times(run.root) == before, "files were written again")


def bundle_verifies(run: RunDirectory) -> None:
    """verify: the bundle is whole and replays its golden vectors."""
    gambit.ask("verify", run.bundle)


def export_is_reproducible(run: RunDirectory, model: Path, scratch: Path) -> None:
    """export: the same inputs give the same bytes."""
    for name in ("first", "second"):
        gambit.run("export", "--model", model, "--thresholds", run.bundle / "thresholds.safetensors",
                   "--output", scratch / name)
    for path in sorted((scratch / "first").iterdir()):
        require(path.read_bytes() == (scratch / "second" / path.name).read_bytes(), f"{path.name} differs")


def bundle_generates_text(run: RunDirectory) -> None:
    """generate: a bundle continues a prompt."""
    answer = gambit.run("generate", "--bundle", run.bundle, "--prompt", "The capital of France is", "--max-tokens", 8)
    require(bool(answer.output.strip()), "nothing was printed")


def end_to_end(model: Path, scratch: Path, outcome: Outcome) -> None:
    run = RunDirectory(scratch / "run")
    check = outcome.run
    check(pipeline_runs, run, model)
    check(second_run_does_nothing, run, model)
    check_run(run, outcome)

    check(bundle_verifies, run)
    check(export_is_reproducible, run, model, scratch)
    check(bundle_generates_text, run)
    check(quantization_checks.quantised_bundles_are_numpys, run, model, scratch)
    check(quantization_checks.loss_is_stated, run, model, scratch)

    check(quantization_checks.example_reads_bundles, run, model, scratch)
    check(runtime_checks.engine_decodes_as_the_oracle, run, model, scratch)
    check(runtime_checks.every_type_decodes_as_the_oracle, run, model, scratch)
    check(bundle_checks.deciding_rows_lie_by_input, run, scratch / "runtime-f16")
    check(runtime_checks.budgets_are_chosen, run, model, scratch)
    check(bundle_checks.budgets_share_their_weights, run, scratch / "budgets")
    check(runtime_checks.threads_make_no_difference, run)
    check(runtime_checks.bench_reports, run)
    check(runtime_checks.cache_is_checked_and_emptied, run)

    check(evaluation_checks.bundle_is_measured_beside_its_model, run, model)
    check(evaluation_checks.prompts_are_left_dense, run)
    check(evaluation_checks.tasks_are_answered, run, model, scratch)
    check(evaluation_checks.texts_are_compared, run, scratch)
    check(evaluation_checks.drift_is_found, run, scratch)
    check(comparison_checks.comparison_goes_on, run, model, scratch)
    check(comparison_checks.comparison_is_readable, run, model, scratch)
    check(comparison_checks.pages_fit_screens, run, scratch)

    check(handoff_checks.folder_is_the_bundle, run, scratch)
    check(handoff_checks.gguf_is_the_bundle, run, scratch)
    check(handoff_checks.gguf_is_quantised_as_ggml_does, run, scratch)
    check(handoff_checks.dictionary_is_the_bundle, run, scratch)
    check(handoff_checks.dictionary_makes_the_bundles_masks, run, scratch)
    check(handoff_checks.relative_thresholds_keep_as_much, run, scratch)
    check(handoff_checks.others_thresholds_are_taken_over, run, model, scratch)
    check(handoff_checks.relative_thresholds_are_taken_over, run, model, scratch)
    check(handoff_checks.what_is_somebodys_is_kept, run, scratch)
    check(handoff_checks.table_is_what_the_statistics_say, run, scratch)
    check(onnx_checks.graph_is_valid, run, scratch)
    check(onnx_checks.golden_vectors_are_met, run, scratch)
    check(onnx_checks.text_goes_on_as_the_programs, run, scratch)
    check(onnx_checks.padding_changes_nothing, run, scratch)
    check(onnx_checks.every_family_is_met, scratch)
    check(library_checks.examples_decode_as_the_program, run, scratch)
    check(library_checks.misuse_is_a_sentence, run)

    check(parity_checks.tokens_equal_those_of_transformers, model)
    check(parity_checks.documents_tokenize_as_recorded, model)
    check(parity_checks.corpora_tokenize_alike, model, run)
    check(parity_checks.perplexity_equals_that_of_transformers, model)
    check(parity_checks.logits_equal_those_of_transformers, model, scratch)

    check(collection_checks.sample_of_2048_tokens, model, scratch)
    check(collection_checks.collection_fits_memory, model, scratch)
    check(collection_checks.shards_merge_to_the_same_bits, model, scratch)
    check(collection_checks.layers_need_their_shards_alone, scratch)
    check(collection_checks.killed_collection_resumes, model, scratch)
    check(collection_checks.sparsity_is_monotone, model, scratch)
    check(cluster_checks.plan_is_met, run, model)
    check(cluster_checks.killed_jobs_begin_again, run, model, scratch)
    check(cluster_checks.truncated_shards_are_refused, model, scratch)

    check(schema_checks.examples_follow_their_schemas)
    check(schema_checks.readers_agree_with_schemas, run, model, scratch)
    check(documentation_checks.figures_say_what_tables_say)

    check(refusal_checks.missing_model_is_refused, scratch)
    check(refusal_checks.damaged_models_are_refused, model, scratch)
    check(refusal_checks.damaged_statistics_are_refused, run, model, scratch)
    check(refusal_checks.damaged_pipelines_are_refused, scratch)
    check(refusal_checks.impossible_sparsity_is_refused, run, model, scratch)
    check(refusal_checks.baselines_are_not_exported, run, model, scratch)
    check(refusal_checks.damaged_bundles_are_refused, run, scratch)
    check(refusal_checks.signed_bundles_are_trusted, run, scratch)
    check(refusal_checks.files_that_crash_libhdf5_are_refused)
    check(refusal_checks.torture_is_survived)


def main() -> int:
    if len(sys.argv) not in (2, 4):
        print("usage: end_to_end.py MODEL.gguf [UNIT_PASSED UNIT_FAILED]", file=sys.stderr)
        return 2
    outcome = Outcome(*map(int, sys.argv[2:]))
    with tempfile.TemporaryDirectory(prefix="gambit-end-to-end-") as scratch:
        end_to_end(Path(sys.argv[1]).resolve(), Path(scratch), outcome)
    print(outcome.summary())
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main())
