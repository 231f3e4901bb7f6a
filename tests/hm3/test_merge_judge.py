"""Merges are judged one at a time, without a folder, and none that was judged is made again."""

import gc
import math
import os
import shutil
import signal
import tempfile
import weakref
from collections import Counter
from dataclasses import replace

import pytest
from safetensors.torch import load_file, save_file

from hm3 import merge_guests
from hm3.checkpoints import Checkpoint, InMemoryModel
from hm3.errors import CheckpointError, ConfigurationError
from hm3.evaluation import EvaluationStore
from hm3.machine import Items, Machine
from hm3.merge_guests import guests_of, in_folder, in_memory
from hm3.merge_judge import judged_merges
from hm3.objectives import Objective, Scores
from hm3.parameter import l1_change, merge, named_sources, specify, unwatched
from hm3.recipe import Recipe, Source
from hm3.rivals import judged_rivals
from hm3.workbench import Workbench
from tests.tiny import write_family
from tests.tiny_tasks import write_tasks

OBJECTIVES = (Objective("sums", "sums", "likelihood"), Objective("depth", "", "depth"))
LOCAL = Machine(device="cpu", workers=0)
NAMES = [f"merge_{number}" for number in range(9)]


class Lab:
    """Sources, merges of them, and benches on stores."""

    def __init__(self, folder):
        self.paths = write_family(folder / "models", ("math", "code"), depth=3, noise=0.1)
        self.sources = {name: Checkpoint.open(name, path) for name, path in self.paths.items()}
        self.tasks = write_tasks(folder / "tasks")

    def bench(self, store, machine=LOCAL, objectives=OBJECTIVES):
        sources = self.sources.values()
        return Workbench.open(
            sources, objectives, include=[self.tasks], store=store, machine=machine, items=Items(screen=4)
        )

    def specs(self, *weights, method="dare_ties", **settings):
        base, *parents = (each.source for each in self.sources.values())
        return [
            specify(method, base=base, parents=parents, weights=(weight, 1 - weight), settings=settings)
            for weight in weights
        ]

    def judged(self, bench, specs, **options):
        return list(judged_merges(bench, specs, 3, NAMES, **options))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def made(monkeypatch):
    """How often each merge's tensors were made, by digest, in whatever way."""
    count = Counter()
    real = merge_guests.guests_of

    def spied(bench):
        def guest(bench, source, parents, watch):
            count[source.digest] += 1
            return real(bench)(bench, source, parents, watch)

        return guest

    monkeypatch.setattr(merge_guests, "guests_of", spied)
    monkeypatch.setattr("hm3.merge_judge.l1_change", lambda *_: pytest.fail("was merged for its change alone"))
    return count


@pytest.fixture
def scratch(monkeypatch, tmp_path):
    """Where temporary folders would be."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("workers", [0, 1])
def test_scores_are_those_of_the_written_checkpoint(lab, store, workers, tmp_path):
    specs = [*lab.specs(0.3, 0.8), *lab.specs(0.5, method="linear")]
    with lab.bench(store, Machine(device="cpu", workers=workers)) as bench:
        judged = lab.judged(bench, specs, test=True)
    with lab.bench(tmp_path / "other") as bench:
        for number, spec in enumerate(specs):
            path = merge(spec, lab.paths, tmp_path / f"{number}")
            bench.add(Checkpoint.open(NAMES[number], path, merge=spec))
            assert judged[number].recipe == Recipe.identity(bench.checkpoints[NAMES[number]].source, 3)
            recipe = judged[number].recipe
            assert judged[number].scores.values == pytest.approx(bench.search([recipe])[0].values, abs=1e-6)
            assert judged[number].test.metrics == pytest.approx(bench.test.reports([recipe])[0].metrics, abs=1e-6)
            assert judged[number].change == l1_change(spec, lab.sources)
    assert len({each.scores for each in judged}) == 3


def test_memory_and_folder_give_the_same(lab, tmp_path, scratch):
    results = []
    for machine in (LOCAL, replace(LOCAL, bank_bytes=1)):
        with lab.bench(tmp_path / str(machine.bank_bytes), machine) as bench:
            results.append(lab.judged(bench, lab.specs(0.4, 0.6), test=True))
            assert list(bench.checkpoints) == ["base", "math", "code"]
    assert results[0][0].scores == results[1][0].scores
    assert [each.change for each in results[0]] == [each.change for each in results[1]]
    assert list(scratch.iterdir()) == []


def test_only_under_a_budget_a_merge_lies_in_a_folder(lab, store, scratch, monkeypatch):
    with lab.bench(store) as bench:
        assert guests_of(bench) is in_memory
        bench.machine = replace(LOCAL, bank_bytes=10**6)
        assert guests_of(bench) is in_folder
    seen = []
    with lab.bench(store, replace(LOCAL, bank_bytes=10**6)) as bench:
        monkeypatch.setattr(bench, "search", lambda _, real=bench.search: seen.extend(scratch.iterdir()) or real(_))
        bench.search.knows, bench.search.worst = lambda _: False, None
        lab.judged(bench, lab.specs(0.4))
    assert [path.name.startswith(".hm3-merge.partial-") for path in seen] == [True]


def test_one_merged_model_at_most_is_resident(lab, store, monkeypatch):
    """Before each layer runs: what the bank has packed and what is still as it was made, beyond the sources."""
    most, models = [0], []
    made = InMemoryModel.hold
    monkeypatch.setattr(InMemoryModel, "hold", lambda self: (models.append(self), made(self)))
    with lab.bench(store) as bench:
        bench.search([Recipe.identity(lab.sources["base"].source, 3)])
        sources = bench._bank.bytes
        read = bench._bank.layer

        def watched(digest, index):
            weights = read(digest, index)
            held = {id(model): model.held for model in models}
            most[0] = max(most[0], bench._bank.bytes - sources + sum(held.values()))
            return weights

        monkeypatch.setattr(bench._bank, "layer", watched)
        for _ in judged_merges(bench, lab.specs(0.1, 0.2, 0.3), 3, NAMES):
            assert bench._bank.bytes == sources
            assert sum(model.held for model in models) == 0
    whole = sum(math.prod(entry.shape) * 4 for entry in lab.sources["base"].tensors.values())
    assert whole / 2 < most[0] <= whole
    alive = [weakref.ref(model) for model in models]
    models.clear()
    gc.collect()
    assert [each() for each in alive] == [None] * 3


def test_nothing_is_made_that_the_store_knows(lab, store, made):
    specs = lab.specs(0.2, 0.7)
    with lab.bench(store) as bench:
        first = lab.judged(bench, specs, test=True)
        assert bench.search.evaluations == 2
    with lab.bench(store) as bench:
        again = lab.judged(bench, specs, test=True)
        assert bench.search.evaluations == 2  # of this run, hits included
        assert [rival.search for rival in judged_rivals(bench, specs, 3)] == [each.scores for each in first]
    assert [(each.scores, each.change, each.test.metrics) for each in again] == [
        (each.scores, each.change, each.test.metrics) for each in first
    ]
    assert set(made.values()) == {1}


def test_what_is_known_on_one_split_is_made_for_the_other(lab, store):
    [spec] = lab.specs(0.2)
    with lab.bench(store) as bench:
        [first], [second] = lab.judged(bench, [spec]), lab.judged(bench, [spec], test=True)
    assert (first.scores, first.change, first.test) == (second.scores, second.change, None)
    assert second.test.scores.valid


def test_a_change_alone_is_measured_without_judging_again(lab, store, monkeypatch):
    (spec,) = lab.specs(0.2)
    with lab.bench(store) as bench:
        list(judged_rivals(bench, [spec], 3))  # asks for no change, and so keeps none
        monkeypatch.setattr(merge_guests, "guests_of", lambda _: pytest.fail("was made resident"))
        assert lab.judged(bench, [spec])[0].change == l1_change(spec, lab.sources)
        monkeypatch.setattr("hm3.merge_judge.l1_change", lambda *_: pytest.fail("was measured again"))
        lab.judged(bench, [spec])


class Killed(BaseException):
    pass


@pytest.mark.parametrize("at", range(9))
def test_after_a_kill_only_the_merge_in_the_making_is_made_again(lab, store, made, monkeypatch, at):
    """Killed before each of nine writes to the store: change, screen and other search items of three merges."""
    specs, left, real = lab.specs(0.2, 0.5, 0.8), [at], EvaluationStore.write

    def killing(self, measures):
        if not left[0]:
            raise Killed
        left[0] -= 1
        real(self, measures)

    with monkeypatch.context() as patch, lab.bench(store) as bench:
        patch.setattr(EvaluationStore, "write", killing)
        with pytest.raises(Killed):
            lab.judged(bench, specs)
        assert not any(spec.digest in bench._bank for spec in specs)
    with lab.bench(store) as bench:
        assert len(lab.judged(bench, specs)) == 3
        whole, parts = divmod(at, 3)
        assert bench._benchmark.fresh == 6 - 2 * whole - max(0, parts - 1)
    assert [made[spec.digest] for spec in specs] == [2 if number == whole else 1 for number in range(3)]


def killed(work):
    """Fork; the child works until it kills itself with SIGKILL. Whether it came so far."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_real_kill_in_the_middle_of_a_merge(lab, store, made, monkeypatch):
    specs = lab.specs(0.2, 0.5, 0.8)

    def work():
        with lab.bench(store) as bench:
            for number, _ in enumerate(judged_merges(bench, specs, 3, NAMES)):
                if number == 1:
                    monkeypatch.setattr("hm3.parameter.change.L1Change.__call__", kill)

    assert killed(work)
    with lab.bench(store) as bench:
        lab.judged(bench, specs)
    assert made == {specs[2].digest: 1}


@pytest.mark.parametrize("judged", [judged_merges, judged_rivals])
def test_a_killed_process_leaves_its_folder_to_the_next_which_removes_it(lab, store, scratch, judged, monkeypatch):
    budget = replace(LOCAL, bank_bytes=10**6)

    def work():
        with lab.bench(store, budget) as bench:
            monkeypatch.setattr(EvaluationStore, "write", kill)
            lab.judged(bench, lab.specs(0.5))

    assert killed(work)
    [left] = scratch.iterdir()
    assert (left / "model.safetensors").is_file()
    with lab.bench(store) as bench:  # in memory now, and nothing to judge at all
        assert list(judged(bench, [], 3, *([NAMES] if judged is judged_merges else []))) == []
    assert list(scratch.iterdir()) == []


def test_the_folder_of_a_process_that_works_is_left_alone(lab, store, scratch):
    parents = named_sources(lab.specs(0.5)[0], lab.sources)
    [spec] = lab.specs(0.5)
    with lab.bench(store) as bench, in_folder(bench, Source.merged("m", spec), parents, unwatched):
        merge_guests.remove_leftovers()
        assert len(list(scratch.iterdir())) == 1
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_merge_with_a_weight_that_is_no_number_is_invalid(lab, tmp_path, number):
    """In the row of a token that no task has, where no score shows it."""
    folder = tmp_path / "broken"
    shutil.copytree(lab.paths["math"], folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.embed_tokens.weight"][120, 0] = number
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    sources = {**lab.sources, "math": Checkpoint.open("math", folder)}
    base, *parents = (each.source for each in sources.values())
    spec = specify("linear", base=base, parents=parents, weights=(0.5, 0.5))
    parts = {"include": [lab.tasks], "store": tmp_path / "store", "items": Items(screen=4)}
    for _ in range(2):  # fresh, then from the store
        with Workbench.open(sources.values(), OBJECTIVES, machine=LOCAL, **parts) as bench:
            [broken] = lab.judged(bench, [spec], test=True)
            assert not math.isfinite(broken.change)
            assert broken.scores == broken.test.scores == Scores(("sums", "depth"), (0.0, -3.0), valid=False)
            assert bench.search.evaluations == 1


def test_a_merge_of_what_the_bench_does_not_have_is_refused(lab, store):
    [spec] = lab.specs(0.5)
    with lab.bench(store) as bench:
        bench.drop("code")
        with pytest.raises(ConfigurationError, match="got none named code"):
            lab.judged(bench, [spec])
        bench.add(Checkpoint.open("code", lab.paths["math"]))
        with pytest.raises(CheckpointError, match="the content that the merge names"):
            lab.judged(bench, [spec])
