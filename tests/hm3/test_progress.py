import io

from rich.console import Console

from hm3.progress import ConsoleProgress, NullProgress, Stage


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def lines_of(stages, script, **console):
    clock, file = Clock(), io.StringIO()
    with ConsoleProgress(stages, console=Console(file=file, width=80, **console), clock=clock) as progress:
        for seconds, stage, done, best in script:
            clock.now += seconds
            progress.advance(stage, done, best)
    return file.getvalue().splitlines()


def test_plain_lines_every_ten_seconds_and_one_at_the_end():
    stages = [Stage("offline", 10), Stage("online", 5, cost=2)]
    script = [(4, "offline", 2, None), (6, "offline", 3, -0.5), (10, "offline", 5, None), (4, "online", 1, -0.25)]
    assert lines_of(stages, script) == [
        "offline 5/10, best utility -0.500, 0:30 left",  # 5 · 2 s and 5 · 2 · 2 s
        "offline 10/10, best utility -0.500, 0:20 left",
        "online 1/5, best utility -0.250, 0:16 left",
    ]


def test_a_resumed_stage_measures_only_its_own_pace():
    assert lines_of([Stage("offline", 100, done=90)], [(5, "offline", 5, None)]) == ["offline 95/100, 0:05 left"]


def test_nothing_is_estimated_before_the_first_item():
    assert lines_of([Stage("offline", 3)], []) == ["offline 0/3"]


def test_long_runs_show_hours():
    assert lines_of([Stage("offline", 101)], [(72, "offline", 1, None)])[-1] == "offline 1/101, 2:00:00 left"


def test_a_terminal_shows_a_live_line():
    text = "\n".join(lines_of([Stage("offline", 2)], [(1, "offline", 1, None)], force_terminal=True))
    assert "offline 1/2" in text


def test_the_null_object_has_the_same_face():
    with NullProgress() as progress:
        progress.advance("anything", 3, best=1.0)


def test_a_stage_that_begins_says_what_it_really_has():
    clock, file = Clock(), io.StringIO()
    stages = [Stage("offline", 2), Stage("proposals", 50), Stage("online", 10, cost=5)]
    with ConsoleProgress(stages, console=Console(file=file, width=80), clock=clock) as progress:
        clock.now += 7  # the sources are judged before the stage begins
        progress.begin("offline", 2)
        clock.now += 2
        progress.advance("offline")
        assert progress.line() == "offline 1/2, 3:22 left"  # 1 + 50 + 10 · 5 items of 2 s
        progress.begin("online", 3)
        assert progress.line() == "online 0/3, 0:30 left"
        progress.advance("online", 3)
        assert progress.line() == "online 3/3, 0:00 left"


def test_a_stage_without_items_is_passed_over():
    with ConsoleProgress([Stage("offline", 1), Stage("merges", 4)], console=Console(file=io.StringIO())) as progress:
        progress.advance("offline")
        progress.begin("merges", 0)
        assert progress.line() == "merges 0/0, 0:00 left"
