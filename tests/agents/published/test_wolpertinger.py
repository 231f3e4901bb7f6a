import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO
from torch.distributions import Normal

from agents import PPO
from agents.published import Wolpertinger
from agents.published.points import nearest, points
from agents.rollout import play
from envs import Dirichlet, Episodes, TableEvaluator, table_space
from hm3.errors import ConfigurationError
from hm3.objectives import Tchebycheff

torch.set_num_threads(1)
SPACE = table_space(4)
TABLE = TableEvaluator(SPACE.pool)
LINE = np.array([[0.0], [1.0], [2.0], [0.2]])


def agent(space=SPACE, **settings):
    head = Wolpertinger(**settings.pop("head", {}))
    return PPO(space, TABLE.normaliser(), Tchebycheff(), Dirichlet(3), head=head, **settings)


def written(one, count=40):
    return play(one.policy, one.space, Dirichlet(3)(count, np.random.default_rng(1)), np.random.default_rng(0))


def test_neighbours_are_picked_by_distance():
    found, exist = nearest(np.array([[0.05], [1.4]]), LINE, np.ones((2, 4), dtype=bool), 3)
    assert found.tolist() == [[0, 3, 1], [1, 2, 3]]
    assert exist.all()


def test_only_legal_actions_are_neighbours():
    legal = np.array([[False, True, True, True], [False, False, True, False]])
    found, exist = nearest(np.array([[0.05], [0.0]]), LINE, legal, 2)
    assert found.tolist() == [[3, 1], [2, 2]]
    assert exist.tolist() == [[True, True], [True, False]]


def test_of_equally_near_actions_the_lower_number_is_taken():
    assert nearest(np.array([[0.5]]), LINE[:3], np.ones((1, 3), dtype=bool), 1)[0].tolist() == [[0]]


def test_actions_lie_at_their_source_and_layer():
    where = points(SPACE)
    assert len(where) == SPACE.actions
    assert where[0] == pytest.approx([-1, -0.6])  # source 0, layer 0
    assert where[4 * 3 + 3] == pytest.approx([1, 0.6])  # source 3, layer 3
    assert where[SPACE.stop] == pytest.approx([0, 1])
    assert where[SPACE.stop + 1 :] == pytest.approx(np.array([[-1, -1], [-1 / 3, -1], [1 / 3, -1], [1, -1]]))


def started(one, count):
    """Episodes that have picked a host."""
    episodes = Episodes(one.space, count)
    episodes.reset(np.full((count, 3), 1 / 3))
    episodes.step(np.full(count, one.space.stop + 1))
    return episodes


def test_the_critic_chooses_among_the_neighbours(monkeypatch):
    one = agent(head={"neighbours": 4, "epsilon": 0.0})
    monkeypatch.setattr(one.policy, "_ahead", lambda episodes, rows, actions: -actions)  # likes low numbers
    episodes = started(one, 50)
    acts = one.policy.act(episodes, np.arange(50), np.random.default_rng(0))
    found, exist = nearest(acts.meant, points(SPACE), episodes.masks(), 4)
    assert exist.all()
    assert (acts.actions == found.min(axis=1)).all()
    assert (acts.actions != found[:, 0]).any()


def test_the_critic_looks_at_the_next_state():
    one = agent()
    episodes = started(one, 2)
    actions = np.array([[0, 4], [1, 8]])
    ahead = one.policy._ahead(episodes, np.arange(2), actions)
    for row in range(2):
        for place in range(2):
            following = episodes.take(np.array([row]))
            following.step(actions[row, [place]])
            assert ahead[row, place] == pytest.approx(one.values(following)[0], abs=1e-6)
    assert (episodes.length == 0).all()  # nothing has been done yet


def test_with_epsilon_one_every_neighbour_has_its_turn():
    one = agent(head={"neighbours": 3, "epsilon": 1.0})
    episodes = started(one, 600)
    acts = one.policy.act(episodes, np.arange(600), np.random.default_rng(0))
    found, _ = nearest(acts.meant, points(SPACE), episodes.masks(), 3)
    places = np.bincount((found == acts.actions[:, None]).argmax(axis=1), minlength=3)
    assert (places > 150).all()


def test_the_density_is_the_gaussian_s_and_a_forced_action_is_certain():
    one = agent(beta=(0.0, 0.0), head={"log_std": -0.5})
    with torch.no_grad():
        one.policy.action_net.weight.zero_()
        one.policy.action_net.bias.copy_(torch.tensor([0.3, -0.2]))
    rollout = written(one)
    expected = Normal(torch.tensor([0.3, -0.2]), np.exp(-0.5)).log_prob(rollout.seen.actions).sum(dim=1)
    forced = (rollout.seen.leaning > -1).sum(dim=1) == 1
    assert 0 < forced.sum() < len(forced)  # stop, at the greatest depth
    expected = torch.where(forced, 0, expected).double().numpy()
    assert rollout.log_probs == pytest.approx(expected, abs=1e-5)


def test_rollout_and_update_agree():
    rollout = written(one := agent())
    values, log_probs, entropies = one.policy.judge(rollout.batch)
    assert log_probs.detach().numpy() == pytest.approx(rollout.log_probs, abs=1e-5)
    assert values.detach().numpy() == pytest.approx(rollout.values, abs=1e-5)
    assert entropies.max().item() == pytest.approx(1 + np.log(2 * np.pi), abs=1e-5)  # of a unit Gaussian in the plane


def test_with_the_prior_an_untrained_narrow_policy_writes_sources():
    narrow = {"neighbours": 1, "epsilon": 0.0, "log_std": -4.0}
    assert all(not recipe.seams for recipe in written(agent(head=narrow)).recipes)
    assert any(recipe.seams for recipe in written(agent(head=narrow, beta=(0.0, 0.0))).recipes)


def test_our_agent_learns_with_it_and_proposes(tmp_path):
    one = agent()
    before = one.policy.log_std.clone()
    for _ in range(2):
        recipes = one.ask(12)
        one.tell(recipes, TABLE(recipes))
    assert (one.policy.log_std != before).all()
    found = one.propose(np.eye(3), 4, rng=np.random.default_rng(0))
    assert len(found) > 4
    assert all(SPACE.allows(SPACE.encode(recipe)[0]) for recipe in found)
    one.save(tmp_path)
    loaded, episodes = MaskablePPO.load(tmp_path / "policy.zip"), started(one, 8)
    actions, _ = loaded.predict(episodes.observe(), action_masks=episodes.masks(), deterministic=True)
    assert (actions == one.policy.assess(episodes.observe(), episodes.masks())[0].argmax(axis=1)).all()


@pytest.mark.parametrize("wrong", [{"neighbours": 0}, {"epsilon": 1.5}, {"log_std": "wide"}])
def test_settings_are_checked(wrong):
    with pytest.raises(ConfigurationError, match=rf"agent\.head\.{next(iter(wrong))}: "):
        Wolpertinger(**wrong)
