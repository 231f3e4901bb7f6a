from itertools import islice

import pytest
import torch

from scripts.zoo import corpus, training
from scripts.zoo.tokenizer import train_tokenizer

SHARES = {"math": 0.6, "code": 0.2, "translation": 0.2}
PHASE = training.Phase("small", 2, 1e-3, SHARES, 512)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(islice(corpus.stream(SHARES, "test"), 2000))


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(training, "CHUNK", 24)


def test_a_killed_training_ends_as_an_uninterrupted_one(tokenizer, small_chunks, tmp_path, monkeypatch):
    whole = training.new_model(tokenizer, 0)
    training.train(whole, tokenizer, PHASE, 0, tmp_path / "whole.pt")

    def killed(*args):
        if args[-1] == 1:
            raise KeyboardInterrupt
        return train_chunk(*args)

    train_chunk = training._train_chunk
    with monkeypatch.context() as patch:
        patch.setattr(training, "_train_chunk", killed)
        with pytest.raises(KeyboardInterrupt):
            training.train(training.new_model(tokenizer, 0), tokenizer, PHASE, 0, tmp_path / "killed.pt")
    resumed = training.new_model(tokenizer, 1)
    training.train(resumed, tokenizer, PHASE, 0, tmp_path / "killed.pt")

    for name, parameter in whole.state_dict().items():
        assert torch.equal(parameter, resumed.state_dict()[name]), name


def test_training_lowers_the_loss(tokenizer, small_chunks, tmp_path, capsys):
    training.train(training.new_model(tokenizer, 0), tokenizer, PHASE, 0, tmp_path / "model.pt")
    losses = [float(line.split("loss ")[1].split()[0]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 2
    assert losses[1] < losses[0]


def test_the_learning_rate_rises_then_falls():
    rates = [training.schedule(step / 100) for step in range(101)]
    assert max(rates) == pytest.approx(1)
    assert rates.index(max(rates)) == round(100 * training.WARM_UP)
    assert rates[-1] == pytest.approx(training.FINAL_RATE)
    assert rates == sorted(rates[:6]) + sorted(rates[6:], reverse=True)


def test_focus_changes_how_often_levels_are_seen():
    stream = corpus.stream({"math": 1.0}, "test", {"story": 0.0, "long story": 0.0})
    assert not any("has" in draft.prompt for draft in islice(stream, 500))
