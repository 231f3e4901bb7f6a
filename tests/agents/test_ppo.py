import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO

from agents import PPO, FlatPath, RandomSearch, RecurrentPath, StackVecEnv
from agents.buffer import EpisodeBuffer
from agents.imitation import replay
from agents.rollout import play
from envs import Dirichlet, Episodes, Holdout, TableEvaluator, table_space
from hm3.errors import ConfigurationError
from hm3.objectives import Tchebycheff

torch.set_num_threads(1)
SPACE = table_space(6)
TABLE = TableEvaluator(SPACE.pool)
NORMALISER, UTILITY = TABLE.normaliser(), Tchebycheff()

TABLE_8 = TableEvaluator(table_space(8).pool)
NORMALISER_8, ROUNDS = TABLE_8.normaliser(), 16


def agent(space=SPACE, **settings):
    return PPO(space, NORMALISER, UTILITY, Dirichlet(3), **settings)


@pytest.fixture
def preferences():
    return Dirichlet(3)(16, np.random.default_rng(0))


@pytest.mark.parametrize("host", ["searched", "follow"])
@pytest.mark.parametrize("encoder", [FlatPath, RecurrentPath])
def test_rollout_and_update_agree_on_log_probabilities(preferences, encoder, host):
    one = agent(table_space(6, host=host), encoder=encoder)
    rollout = play(one.policy, one.space, preferences, np.random.default_rng(0))
    buffer = EpisodeBuffer(rollout, rollout.values, np.random.default_rng(0))
    batches = list(buffer.get(8))  # small ones have the states of some episodes only
    assert len(batches[0].observations.states.ends) < len(preferences)
    assert sum(len(batch.actions) for batch in batches) == len(rollout.episodes)
    for batch in batches:
        values, log_probs, _ = one.policy.evaluate_actions(batch.observations, batch.actions)
        assert torch.allclose(log_probs, batch.old_log_prob, atol=1e-6)
        assert torch.allclose(values, batch.old_values, atol=1e-6)


@pytest.mark.parametrize("encoder", [FlatPath, RecurrentPath])
def test_both_ways_through_the_networks_have_the_same_gradients(preferences, encoder):
    one = agent(encoder=encoder)
    rollout = play(one.policy, SPACE, preferences, np.random.default_rng(0))
    observations, masks, actions, preferences_of = replayed(rollout)
    tensors, _ = one.policy.obs_to_tensor({**observations, "preference": preferences_of})
    slow = one.policy.evaluate_actions(tensors, torch.as_tensor(actions), action_masks=masks)
    fast = one.policy.judge(rollout.batch)
    parameters = list(one.policy.parameters())
    slopes = [torch.autograd.grad(loss(*way), parameters) for way in (slow, fast)]
    for ours, theirs in zip(*slopes, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


def loss(values, log_probs, entropies):
    weights = torch.linspace(-1, 1, len(log_probs))
    return (weights * log_probs + 0.3 * weights.flip(0) * entropies + values.flatten() ** 2).mean()


def replayed(rollout):
    """What SB3's way needs to look at a rollout again."""
    stacks = [SPACE.encode(recipe) for recipe in rollout.recipes]
    observations, masks, actions, episodes = replay(SPACE, rollout.preferences, stacks)
    assert (actions == rollout.seen.actions.numpy()).all()
    return observations, masks, actions, rollout.preferences[episodes].astype(np.float32)


def test_in_one_batch_they_agree_to_the_last_bit(preferences):
    one = agent()
    episodes = Episodes(SPACE, len(preferences))
    episodes.reset(preferences)
    observations, masks = episodes.observe(), episodes.masks()
    log_probs, _ = one.policy.assess(observations, masks)
    tensors, _ = one.policy.obs_to_tensor(observations)
    actions = log_probs.argmax(axis=1)
    _, again, _ = one.policy.evaluate_actions(tensors, torch.as_tensor(actions), action_masks=masks)
    assert again.double().tolist() == log_probs[np.arange(len(actions)), actions].tolist()


@pytest.mark.parametrize("reach", [2, None])
def test_an_untrained_policy_writes_mostly_natural_stacks(reach):
    recipes = agent(table_space(8, reach=reach)).ask(200)
    layers = sum(recipe.depth for recipe in recipes)
    assert sum(len(recipe.seams) for recipe in recipes) / layers < 0.2
    assert np.mean([not recipe.seams for recipe in recipes]) > 0.25


def test_policy_and_value_see_the_preference():
    one = agent()
    episodes = Episodes(SPACE, 2)
    episodes.reset(np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    log_probs, values = one.policy.assess(episodes.observe(), episodes.masks())
    assert (log_probs[0] != log_probs[1]).any()
    assert values[0] != values[1]


def test_only_the_actions_of_the_rollout_are_learnt_from():
    one = agent(relabels=0)
    recipes = one.ask(8)
    one.tell(recipes, TABLE(recipes))
    (batch,) = one.model.rollout_buffer.get(10_000)
    assert len(batch.actions) == sum(2 + recipe.depth for recipe in recipes)  # host and stop
    states = batch.observations.states
    assert (states.leaning[torch.arange(len(states.actions)), states.actions] >= 0).all()  # all of them legal
    assert all(np.isfinite(list(one.metrics.values())))


def test_schedules_follow_the_progress():
    one = agent(rollouts=2, beta=(2.0, 0.5), learning_rate=(1e-3, 1e-4))
    for progress, beta, rate in ((0.5, 1.25, 1e-3), (1.0, 0.5, 5.5e-4)):
        recipes = one.ask(4)
        one.tell(recipes, TABLE(recipes))
        assert (one.progress, one.policy.beta.item()) == (progress, pytest.approx(beta))
        assert one.metrics["train/learning_rate"] == pytest.approx(rate)
    one.progress = 0.0
    assert one.policy.beta.item() == 2.0


def test_it_leaves_nothing_in_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    learner = agent()
    recipes = learner.ask(4)
    learner.tell(recipes, TABLE(recipes))
    assert not list(tmp_path.glob("SB3-*"))  # torch keeps a folder of its own there


def test_the_policy_is_a_plain_sb3_file(preferences, tmp_path):
    one = agent(rollouts=2, beta=(2.0, 1.0))
    recipes = one.ask(8)
    one.tell(recipes, TABLE(recipes))
    one.save(tmp_path)
    loaded = MaskablePPO.load(tmp_path / "policy.zip")
    assert loaded.policy.beta.item() == one.policy.beta.item() == pytest.approx(1.5)
    episodes = Episodes(SPACE, len(preferences))
    episodes.reset(preferences)
    seen, masks = episodes.observe(), episodes.masks()
    assert (loaded.policy.assess(seen, masks)[0] == one.policy.assess(seen, masks)[0]).all()
    actions, _ = loaded.predict(seen, action_masks=masks, deterministic=True)
    assert masks[np.arange(len(actions)), actions].all()


def test_another_space_is_refused(tmp_path):
    agent().save(tmp_path)
    with pytest.raises(ConfigurationError, match="policy: trained on this space"):
        agent(table_space(8)).restore(tmp_path)


def test_ask_and_tell_take_turns(tmp_path):
    one = agent()
    with pytest.raises(ValueError, match="those of the last ask"):
        one.tell([], [])
    recipes = one.ask(4)
    with pytest.raises(ValueError, match="only between tell and the next ask"):
        one.save(tmp_path)
    with pytest.raises(ValueError, match="those of the last ask"):
        one.tell(recipes[:3], TABLE(recipes[:3]))


def test_any_sb3_algorithm_can_use_the_environment():
    env = StackVecEnv(4, SPACE, TABLE, NORMALISER, UTILITY, Dirichlet(3))
    model = MaskablePPO("MultiInputPolicy", env, n_steps=16, batch_size=32, n_epochs=1, seed=0)
    model.learn(128)
    observation = env.reset()
    ended = []
    for _ in range(40):
        actions, _ = model.predict(observation, action_masks=env.action_masks())
        observation, rewards, dones, infos = env.step(actions)
        ended += [(reward, info) for reward, done, info in zip(rewards, dones, infos, strict=True) if done]
    assert len(ended) > 4
    for reward, info in ended:
        preference = info["terminal_observation"]["preference"]
        assert reward == pytest.approx(float(UTILITY(NORMALISER(info["scores"]), preference)), abs=1e-5)
        assert info["candidate"].recipe.depth == info["terminal_observation"]["length"]


def test_ppo_beats_random_search_on_preferences_it_has_not_seen():
    space, unseen = table_space(8), Dirichlet(3, corners=0.0)(8, np.random.default_rng(7))
    sampler = Holdout(Dirichlet(3), tuple(map(tuple, unseen.tolist())))
    gains = []
    for seed in (0, 1):
        learner = PPO(space, NORMALISER_8, UTILITY, sampler, seed=seed, rollouts=ROUNDS, width=32)
        ours = best_utilities(learner, unseen)
        theirs = best_utilities(RandomSearch(space, seed=seed), unseen)
        gains.append(ours.mean() - theirs.mean())
    assert np.mean(gains) > 0.005  # about 0.02


def best_utilities(searcher, preferences):
    """(P,) the best utility for each preference among rounds of 64 evaluations."""
    scores = []
    for _ in range(ROUNDS):
        recipes = searcher.ask(64)
        answers = TABLE_8(recipes)
        searcher.tell(recipes, answers)
        scores += [answer.values for answer in answers]
    return UTILITY(NORMALISER_8(scores)[:, None], preferences).max(axis=0)
