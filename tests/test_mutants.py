"""Each check of the kit is shown to fail on a game or view with one defect."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pytest
from toys import PRISONERS, Last, Prisoners, Turns

from stratagem.envs.adapters.gymnasium import LearnerEnv
from stratagem.envs.adapters.pettingzoo import GameAECEnv, GameParallelEnv
from stratagem.envs.adapters.vector import LearnerVectorEnv
from stratagem.envs.benchmarks import Benchmark, Certificate, Solution
from stratagem.envs.core import Conduct, RiskScale, Stage, Step
from stratagem.envs.games.collusion.sequential_pricing import SequentialPricing
from stratagem.envs.rendering.film import Film
from stratagem.envs.scenes import Grid, Scene, Track
from stratagem.testing import OWN_CHECKS, third_party_checks


class NewSpaces(Prisoners):
    @property
    def action_spaces(self) -> Any:
        return tuple(type(s)(s.n) for s in super().action_spaces)


class OutOfRange(Prisoners):
    def observe(self, state: Last) -> Any:
        return tuple(view + 1 for view in super().observe(state))


class NotANumber(Prisoners):
    def step(self, state: Last, actions: Any, outcome: Any) -> Step[Last]:
        step = super().step(state, actions, outcome)
        return step._replace(rewards=np.where(state.first == 1, np.nan, step.rewards))


class NotADistribution(Prisoners):
    def chance(self, state: Last, actions: Any) -> Any:
        return np.array([0.8, 0.1])


class LeaksBetweenCopies(Prisoners):
    def step(self, state: Last, actions: Any, outcome: Any) -> Step[Last]:
        step = super().step(state, actions, outcome)
        return step._replace(rewards=step.rewards + step.rewards.mean())


class ChangesItsState(Prisoners):
    def step(self, state: Last, actions: Any, outcome: Any) -> Step[Last]:
        state.first[:] = 1 - state.first
        return super().step(state, actions, outcome)


class WrongStage(Prisoners):
    def stage(self) -> Stage:
        stage = super().stage()
        assert stage is not None
        return stage._replace(payoffs=stage.payoffs[::-1].copy())


class WrongMemory(Prisoners):
    def stage(self) -> Stage:
        stage = super().stage()
        assert stage is not None
        return stage._replace(states=lambda index: Last(*np.divmod(index, 2)[::-1]))


class BadConduct(Prisoners):
    def conduct(self, seat: int) -> Conduct:
        return Conduct(0, 2, _calm)


def _calm(observation: Any) -> Any:
    return (np.ones(len(observation), np.bool_),) * 2


def _claims(concept: str, payoffs: list[float], own: list[float], regret: float = 0.0) -> Any:
    certificate = Certificate(regret, 1e-9, "made up", ("player_0", "player_1"))
    strategies = (np.array([own]), np.array([own]))
    solution = Solution(concept, strategies, np.array(payoffs), certificate)
    return {concept: Benchmark(concept, solution, "made up", "per_period", strategies=strategies)}


class FalseValue(Prisoners):
    def benchmarks(self) -> Any:
        return _claims("nash", [2.0, 2.0], [0.0, 1.0])


class FalseNash(Prisoners):
    def benchmarks(self) -> Any:
        return _claims("nash", [3.0, 3.0], [1.0, 0.0])


class FailedCertificate(Prisoners):
    def benchmarks(self) -> Any:
        return _claims("nash", [1.0, 1.0], [0.0, 1.0], regret=0.1)


class RiskOfTheBatch(Prisoners):
    def risk(self, trajectory: Any) -> Any:
        return np.full(trajectory.rewards.shape[2], trajectory.rewards.mean())


class OneScaleTooFew(Prisoners):
    def risk_scales(self) -> Any:
        return (RiskScale("mean reward per period", 3.0, 1.0),)


COUNT = count()


class TwoLines(Prisoners):
    def render(self, state: Last) -> str:
        return "one\ntwo"


class NamesTooFew(Prisoners):
    def action_names(self, seat: int) -> tuple[str, ...]:
        return ("cooperate",)


class OutsideItsGrid(Prisoners):
    def scene(self, state: Last, played: Any) -> Scene:
        return (Grid("", ("row",), ("column",), (("",),), ((0, 1, None),)),)


class FlatTrack(Prisoners):
    def scene(self, state: Last, played: Any) -> Scene:
        return (Track("", 1.0, 1.0),)


class StrangerOnTrack(Prisoners):
    def scene(self, state: Last, played: Any) -> Scene:
        return (Track("", 0.0, 1.0, ((2, 0.5),)),)


@pytest.mark.parametrize(
    ("game", "check"),
    [
        (TwoLines, "rendering"),
        (NamesTooFew, "rendering"),
        (OutsideItsGrid, "rendering"),
        (FlatTrack, "rendering"),
        (StrangerOnTrack, "rendering"),
        (NewSpaces, "spaces"),
        (OutOfRange, "spaces"),
        (NotANumber, "spaces"),
        (NotADistribution, "chance"),
        (LeaksBetweenCopies, "copies_apart"),
        (ChangesItsState, "arguments_kept"),
        (WrongStage, "table"),
        (WrongMemory, "table"),
        (BadConduct, "conduct"),
        (FalseValue, "certificates"),
        (FalseNash, "certificates"),
        (FailedCertificate, "certificates"),
        (RiskOfTheBatch, "risk"),
        (OneScaleTooFew, "risk"),
    ],
)
def test_a_broken_game_is_caught(game: Callable[[], Any], check: str) -> None:
    OWN_CHECKS[check](Prisoners())
    with pytest.raises(AssertionError):
        OWN_CHECKS[check](game())


def test_a_true_equilibrium_passes() -> None:
    @dataclass(frozen=True, kw_only=True)
    class TrueNash(Prisoners):
        def benchmarks(self) -> Any:
            return _claims("nash", [1.0, 1.0], [0.0, 1.0])

    OWN_CHECKS["certificates"](TrueNash())
    OWN_CHECKS["certificates"](TrueNash(continuation=1.0))


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[[type, Callable[..., Any]], None]:
    """Let a test change what a view's `step` returns: `change(view, edit(self, result))`."""

    def apply(view: type, edit: Callable[..., Any]) -> None:
        original = view.step  # type: ignore[attr-defined]

        def step(self: Any, actions: Any) -> Any:
            return edit(self, original(self, actions))

        monkeypatch.setattr(view, "step", step)

    return apply


def swapped(self: Any, result: Any) -> Any:
    seen, rewards, *rest = result
    return seen, dict(zip(rewards, reversed(rewards.values()), strict=True)), *rest


def never_over(self: Any, result: Any) -> Any:
    seen, rewards, _, _, infos = result
    self.agents = self.possible_agents[:]
    no = dict.fromkeys(self.agents, False)
    return seen, rewards, no, dict(no), infos


def terminated_for_truncated(self: Any, result: Any) -> Any:
    seen, rewards, terminated, truncated, infos = result
    over = {name: terminated[name] or truncated[name] for name in terminated}
    return seen, rewards, over, dict.fromkeys(over, False), infos


def both_flags(self: Any, result: Any) -> Any:
    seen, rewards, terminated, truncated, infos = result
    over = {name: terminated[name] or truncated[name] for name in terminated}
    return seen, rewards, over, dict(over), infos


def noise_after_five(self: Any, result: Any) -> Any:
    seen, reward, *rest = result
    self.count = getattr(self, "count", 0) + 1
    late = self.count > 5
    return seen, reward + late * np.random.default_rng().random(), *rest


def one_buffer(self: Any, result: Any) -> Any:
    if not hasattr(self, "buffer"):
        self.buffer = result[0].copy()
    self.buffer[...] = result[0]
    return self.buffer, *result[1:]


def one_info(self: Any, result: Any) -> Any:
    self.info = getattr(self, "info", {})
    return *result[:4], self.info


def shifted_rows(self: Any, result: Any) -> Any:
    return np.roll(result[0], 1, axis=0), *result[1:]


@pytest.mark.parametrize(
    ("view", "edit", "check", "game"),
    [
        (GameParallelEnv, swapped, "one_trajectory", Prisoners()),
        (GameParallelEnv, terminated_for_truncated, "one_trajectory", Prisoners()),
        (GameParallelEnv, never_over, "ends", Prisoners()),
        (GameParallelEnv, both_flags, "ends", Prisoners()),
        (LearnerEnv, noise_after_five, "seeds", Prisoners()),
        (LearnerEnv, noise_after_five, "one_trajectory", Prisoners()),
        (LearnerEnv, one_buffer, "memory", Prisoners()),
        (LearnerEnv, one_info, "memory", Prisoners()),
        (LearnerVectorEnv, one_buffer, "memory", Prisoners()),
        (LearnerVectorEnv, shifted_rows, "batches", Prisoners()),
        (LearnerVectorEnv, noise_after_five, "pickling", Prisoners()),
    ],
)
def test_a_broken_view_is_caught(
    change: Any, view: type, edit: Callable[..., Any], check: str, game: Any
) -> None:
    OWN_CHECKS[check](game)
    change(view, edit)
    with pytest.raises(AssertionError):
        OWN_CHECKS[check](game)


@pytest.mark.parametrize(
    "edit",
    [
        lambda film, frame: np.zeros_like(frame),
        lambda film, frame: frame[: 100 + film.number],
        lambda film, frame: frame.astype(np.int64),
        lambda film, frame: frame ^ np.uint8(next(COUNT) % 7),
    ],
)
def test_a_view_of_broken_frames_is_caught(
    edit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("PIL")
    whole = Film.frame
    monkeypatch.setattr(Film, "frame", lambda film, state: edit(film, whole(film, state)))
    with pytest.raises(AssertionError):
        OWN_CHECKS["rendering"](Prisoners())


def test_a_game_that_forgets_what_stands_is_caught() -> None:
    class Forgets(SequentialPricing):
        def standing(self, state: Any) -> Any:
            return 0 * super().standing(state)

    class AllMove(Prisoners):
        def standing(self, state: Any) -> Any:
            return np.zeros((2, len(state.first)), np.int64)

    OWN_CHECKS["standing"](SequentialPricing())
    with pytest.raises(AssertionError, match="is not what the seat chose last"):
        OWN_CHECKS["standing"](Forgets())
    with pytest.raises(AssertionError, match="nothing can stand"):
        OWN_CHECKS["standing"](AllMove())
    OWN_CHECKS["standing"](Prisoners())  # where nothing stands there is nothing to check


def test_a_view_that_shows_no_mask_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LearnerEnv, "_info", lambda self, periods: {"periods": periods})
    with pytest.raises(AssertionError, match="action_mask"):
        OWN_CHECKS["masks"](Turns())


def test_a_view_that_ignores_the_mask_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hinting(Turns):
        def legal(self, state: Any) -> Any:
            leader, follower = super().legal(state)
            return leader & (np.arange(3) > 0), follower

    OWN_CHECKS["masks"](Hinting())
    monkeypatch.setattr(LearnerVectorEnv, "_check_masks", lambda self, own, live: None)
    with pytest.raises(AssertionError, match="masked action"):
        OWN_CHECKS["masks"](Hinting())


def test_a_view_that_clips_actions_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LearnerVectorEnv, "_checked", lambda self, actions: np.clip(actions, 0, 1))
    with pytest.raises(AssertionError, match="accepted"):
        OWN_CHECKS["bad_actions"](Prisoners())


def test_an_sb3_view_that_takes_truncation_for_termination_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sb3 = pytest.importorskip("stratagem.envs.adapters.sb3")
    original = sb3.LearnerVecEnv.step_wait

    def step_wait(self: Any) -> Any:
        seen, rewards, done, infos = original(self)
        for info in infos:
            info.update({"TimeLimit.truncated": False} if "terminal_observation" in info else {})
        return seen, rewards, done, infos

    monkeypatch.setattr(sb3.LearnerVecEnv, "step_wait", step_wait)
    with pytest.raises(AssertionError, match="truncated"):
        OWN_CHECKS["sb3_rows"](Prisoners(continuation=1.0))


def test_an_aec_view_in_which_the_wrong_agent_moves_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(GameAECEnv, "observe", lambda self, agent: np.zeros(2, np.int64) + 7)
    with pytest.raises(AssertionError, match="AEC"):
        OWN_CHECKS["one_trajectory"](Prisoners())


def test_payoffs_of_the_toy_are_those_of_a_prisoners_dilemma() -> None:
    own = PRISONERS[0]
    assert own[1, 0] > own[0, 0] > own[1, 1] > own[0, 1]


def unseeded(self: Any, result: Any) -> Any:
    seen, rewards, *rest = result
    noise = np.random.default_rng().random()
    return seen, {name: reward + noise for name, reward in rewards.items()}, *rest


def out_of_space(self: Any, result: Any) -> Any:
    return result[0] + 9, *result[1:]


@pytest.mark.parametrize(
    ("check", "view", "edit"),
    [
        ("gymnasium.check_env", LearnerEnv, out_of_space),
        ("gymnasium.check_environments_match", LearnerEnv, noise_after_five),
        ("pettingzoo.parallel", GameParallelEnv, unseeded),
        ("pettingzoo.aec", GameParallelEnv, unseeded),
        ("stable_baselines3.check_env", LearnerEnv, out_of_space),
    ],
)
def test_the_checkers_of_others_are_listened_to(
    change: Any, check: str, view: type, edit: Callable[..., Any]
) -> None:
    checks = third_party_checks()
    if check not in checks:
        pytest.skip("not installed")
    checks[check](Prisoners())
    change(view, edit)
    with pytest.raises(AssertionError):
        checks[check](Prisoners())
