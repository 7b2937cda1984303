"""Tables about `ContentDisengagement`, computed whenever they are asked for."""

from collections.abc import Sequence

from .content_disengagement import ContentDisengagement
from .disengagement_presets import cdnow
from .engagement import best_plan, episode_share, myopic_plan, plan_long_run_share, plan_value


def friction_table(
    preset: str, frictions: Sequence[float]
) -> list[tuple[float, float, float, float]]:
    """Return rows of friction, optimum, myopic value and the optimum's long-run engaged share."""
    rows = []
    for friction in frictions:
        game = ContentDisengagement(preset=preset, friction=friction)
        plan = best_plan(game.model)
        values = [
            plan_value(game.model, p)[game.filled.start] for p in (plan, myopic_plan(game.model))
        ]
        share = plan_long_run_share(game.model, plan, game.filled.start)
        rows.append((friction, float(values[0]), float(values[1]), share))
    return rows


def sensitivity(
    effects: Sequence[float],
) -> list[tuple[float, float, float, float, float, float]]:
    """Return how the `cdnow` preset hangs on its assumed effect of satisfaction.

    Rows of effect, optimum, myopic value, their gap, and the expected share of periods
    engaged in an episode under the optimum and under the myopic plan.
    """
    rows = []
    for effect in effects:
        game = ContentDisengagement(preset="cdnow", **cdnow(effect)._asdict())
        plans = best_plan(game.model), myopic_plan(game.model)
        best, myopic = (float(plan_value(game.model, p)[game.filled.start]) for p in plans)
        held, burnt = (float(episode_share(game.model, p)[game.filled.start]) for p in plans)
        rows.append((effect, best, myopic, best - myopic, held, burnt))
    return rows
