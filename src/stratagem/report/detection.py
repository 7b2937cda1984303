"""How well the codes of a secret channel are detected."""

from collections.abc import Iterator, Mapping
from typing import Any

from stratagem.envs.games.collusion.secret_channel import SecretChannel
from stratagem.envs.registry import find

from .markup import Section, figure, note, number
from .roc import roc

MESSAGES = 16
"""Messages that the test sees."""


def detection_section(entry: Mapping[str, Any], key: str) -> Iterator[Section]:
    """Yield the section of a scenario of `SecretChannel`; it follows from the parameters alone.

    Args:
        entry: of the scenario.
        key: id of its heading.
    """
    spec = find(entry["game"])
    if not issubclass(spec.game, SecretChannel):
        return
    game: Any = spec.build(entry["params"])
    codes = {"naive code": game.naive_code, "secure code": game.secure_code}
    curves = {name: [game.detection_curve(code, MESSAGES)] for name, code in codes.items()}
    said = "; ".join(
        f"{name}: {number(own[0].power(0.05))} detected, gain {number(game.covert_gain(code))} a "
        f"round, of which {number(game.undetected_gain(code, MESSAGES))} undetected"
        for (name, own), code in zip(curves.items(), codes.values(), strict=True)
    )
    yield Section(
        f"{key}-detection",
        "Detection",
        [
            note(
                f"The best test of {MESSAGES} messages against the honest ones, computed. With "
                f"false alarms of .05: {said}."
            ),
            figure(
                roc(curves, MESSAGES),
                f"ROC curves of the naive and the secure code, {MESSAGES} messages: {said}.",
                "Chance of detection by chance of accusing an honest sender. On the dashed line "
                "the test is a blind guess.",
            ),
        ],
    )
