import pytest

from hm3 import train
from hm3.budget import Budget, Spending
from hm3.errors import ConfigurationError
from hm3.estimate import Estimate, resident_bytes
from hm3.progress import Stage
from hm3.runs import RunFolder


class Run:
    """A clock and a count that tests set."""

    seconds = 0.0
    evaluations = 0

    def spending(self, reserved=0, seconds=0.0, **budget):
        return Spending(
            Budget(**budget), lambda: self.evaluations, reserved=reserved, seconds=seconds, clock=lambda: self.seconds
        )


def test_without_a_budget_the_plan_rules():
    spending = Run().spending()
    assert spending.rounds(0.5, 64, planned=20) == 20
    assert spending.room() is None
    assert spending.allows(0.5, 10**9)


def test_training_spends_its_share_of_what_is_not_reserved():
    run = Run()
    spending = run.spending(reserved=20, evaluations=100)  # 80 are free, 40 of them for training
    assert spending.room(0.5) == 40
    assert spending.allows(0.5, 40)
    assert not spending.allows(0.5, 41)
    run.evaluations = 30
    assert spending.room(0.5) == 10
    assert spending.fraction(0.5) == 0.75
    run.evaluations = 60
    assert spending.fraction(0.5) == 1.0
    assert spending.room() == 20
    spending.release()
    assert spending.room() == 40


def test_a_search_that_repeats_itself_ends():
    assert Run().spending(evaluations=100).rounds(0.5, 10, planned=1) == 4 * 5


def test_a_round_must_end_in_time():
    run = Run()
    spending = run.spending(minutes=10, report=0.4)  # 360 s, 180 of them for training
    assert spending.allows(0.5, 64)
    run.seconds = 80
    assert spending.allows(0.5, 64)  # until 160
    run.seconds = 110
    assert spending.allows(0.5, 64)  # until 140
    run.seconds = 160
    assert not spending.allows(0.5, 64)  # until 210
    assert spending.fraction(1.0) == pytest.approx(160 / 360)


def test_a_run_that_goes_on_has_spent_what_it_had_spent():
    assert Run().spending(minutes=1, seconds=30.0).fraction(1.0) == pytest.approx(30 / 51)


@pytest.mark.parametrize(
    ("budget", "line"),
    [
        ({"evaluations": 0}, "budget.evaluations: an integer of at least 1, got 0"),
        ({"minutes": 0}, "budget.minutes: a finite number above 0, got 0"),
        ({"minutes": "ten"}, "budget.minutes: a finite number above 0, got 'ten'"),
        ({"offline": 1.5}, "budget.offline: a finite number from 0 to 1, got 1.5"),
    ],
)
def test_what_is_no_budget(budget, line):
    with pytest.raises(ConfigurationError) as error:
        Budget(**budget)
    assert str(error.value) == line


def test_a_budget_that_is_gone_before_the_search():
    run = Run()
    run.evaluations = 22
    with pytest.raises(ConfigurationError, match=r"at least 53 \(sources and merges take 52\), got 50"):
        run.spending(reserved=30, evaluations=50)


STAGES = [Stage("offline", 20, 64, stacks=64), Stage("test", 96, 10, stacks=0)]


def test_the_estimate_by_hand():
    estimate = Estimate.of(STAGES, 0.5, 0)
    assert (estimate.evaluations, estimate.seconds) == (1280, 0.5 * (1280 + 960))
    assert resident_bytes() / 2 < estimate.memory < 2 * resident_bytes()
    assert str(Estimate(1280, 1120.0, 3 << 29)) == "up to 1,280 evaluations, about 18:40 and 1.5 GB of memory"


def test_the_estimate_of_a_run_with_a_budget():
    plain = Estimate(1000, 600.0, 0)
    assert plain.within(Budget(evaluations=500)) == Estimate(500, 300.0, 0)
    assert plain.within(Budget(minutes=20)) == Estimate(2000, 1200.0, 0)
    assert plain.within(Budget(evaluations=500, minutes=20)) == Estimate(500, 300.0, 0)
    assert plain.within(Budget()) == plain


def test_a_run_never_spends_more(small, invoke, tmp_path):
    words = [*small.overrides, "budget.evaluations=30", f"hydra.run.dir={tmp_path}"]
    done = invoke(train.main, *words)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("up to 30 evaluations, about ")
    assert 25 <= RunFolder(tmp_path).read_front().evaluations <= 30


def test_a_run_ends_about_when_its_minutes_do(small, invoke, tmp_path):
    words = [*small.overrides, "budget.minutes=0.1", f"hydra.run.dir={tmp_path}"]
    assert invoke(train.main, *words).code == 0
    assert RunFolder(tmp_path).read_front().evaluations > 100  # the plan, two rollouts of four, is no limit


def test_too_little_is_one_line(small, invoke, tmp_path):
    done = invoke(train.main, *small.overrides, "budget.evaluations=3", f"hydra.run.dir={tmp_path}")
    assert done.code == 2
    assert done.err.startswith("error: budget.evaluations: at least ")
    assert done.err.endswith(", got 3\n")
