"""What the figures so far say, in sentences; none that they do not bear."""

from collections.abc import Iterator

from hardwear.reproduction.published import EPOCHS, PUBLISHED
from hardwear.reproduction.results import Results
from hardwear.reproduction.summary import Spread, compare, figure, nearest_shares, on_test, pairs, readings, rows_of
from hardwear.reproduction.table import experiments
from hardwear.reproduction.words import interval, p_value, points, spread, what

_LEVEL = 0.05
_LEARNT = 0.97
"""Training accuracy below which a network has plainly not learnt what it was shown."""


def findings(held: Results) -> list[str]:
    """One sentence or two each."""
    return [*_unfinished(held), *_nearest_reading(held), *_gravity(held), *_center_loss(held), *_best(held)]


def _unfinished(held: Results) -> Iterator[str]:
    """Runs that had not learnt even their training windows say how fast a network learns, not how well."""
    for pair in pairs(held):
        learnt = [Spread.of([record.curves["train_accuracy"][-1] for record in records]) for records in pair.records]
        if min(accuracy.mean for accuracy in learnt) < _LEARNT:
            values = " and ".join(f"{accuracy.mean:.3f}" for accuracy in learnt)
            yield (
                f"**Too few epochs.** After {pair.epochs} epochs on `{pair.acceleration}` the paper's network has a "
                f"training accuracy of {values} (CE, CE + center loss) and is still learning: what is compared there "
                f"says how fast it learns as much as how well. The published number of epochs is {EPOCHS}."
            )


def _nearest_reading(held: Results) -> Iterator[str]:
    complete = [reading for reading in readings(held) if reading.complete]
    if not complete:
        return
    nearest, share = complete[0], nearest_shares(complete)[0]
    text = (
        f"**Which reading.** Of the {len(complete)} run, the nearest to the paper's recalls is "
        f"`{nearest.acceleration}`, validation by {nearest.split}, λ₂ as {nearest.lambda_2}, "
        f"the {nearest.kept} epoch of {nearest.epochs}: {100 * nearest.distance:.1f} points away"
    )
    other = next((reading for reading in complete if reading.acceleration != nearest.acceleration), None)
    if other:
        text += f"; the nearest with `{other.acceleration}` is {100 * other.distance:.1f} away"
    yield f"{text}. With the seeds drawn anew it stays the nearest of all in {share:.0%} of draws."


def _gravity(held: Results) -> Iterator[str]:
    """What tells the accelerations apart: laying, which gravity gives away."""
    seen: dict[str, list[str]] = {}
    for method in ("svm", "ce", "center"):
        for experiment in experiments("main", method):
            measured = [row for row in rows_of(experiment, held) if held.of(row)]
            if measured:
                metrics = on_test(held.of(measured[-1]))
                laying = Spread.of([m.recall["LAYING"] for m in metrics])
                words = f"{PUBLISHED[method].name} {laying.mean:.3f}"
                seen.setdefault(experiment.settings.acceleration, []).append(words)
    if len(seen) > 1:
        ours = "; ".join(f"`{acceleration}` " + ", ".join(words) for acceleration, words in seen.items())
        published = [PUBLISHED[method].recall_by_class or {} for method in ("ce", "center")]
        paper = " and ".join(f"{by_class['LAYING']:.3f}" for by_class in published)
        yield f"**Gravity.** Recall of laying: {ours}. The paper: {paper}, for CE and CE + center loss."


def _center_loss(held: Results) -> Iterator[str]:
    published = points(PUBLISHED["center"].macro_f1 - PUBLISHED["ce"].macro_f1)
    for pair in pairs(held):
        found = compare(*pair.records)
        if found:
            told = "a difference" if found.t_test < _LEVEL else "no difference that can be told from chance"
            yield (
                f"**Center loss**, `{pair.acceleration}`, {pair.epochs} epochs, {found.pairs} seeds: "
                f"{points(found.mean)} points of macro-F1 (95 % interval {interval(found.interval)}, paired t-test "
                f"p = {p_value(found.t_test)}): {told} at the level of 5 %. The paper reports {published}."
            )


def _best(held: Results) -> Iterator[str]:
    measured = [
        (figure(metrics, "macro_f1"), row, len(metrics))
        for experiment in experiments("main")
        for row in rows_of(experiment, held)
        if (metrics := on_test(held.of(row)))
    ]
    if measured:
        score, row, seeds = max(measured, key=lambda item: item[0].mean)
        best = max(PUBLISHED.values(), key=lambda published: published.macro_f1)
        yield (
            f"**The best row** that was run is {PUBLISHED[row.experiment.method].name}, {what(row)}: macro-F1 "
            f"{spread(score, 4)} over {seeds} seeds. The paper's is {best.name} with {best.macro_f1:.3f}."
        )
