"""The page's tables, line by line: the paper's figures, ours, and what is not run yet."""

from collections.abc import Iterable, Iterator, Sequence

from hardwear.contract import CLASSES
from hardwear.metrics import Metrics
from hardwear.reproduction.cost import seconds_per_run
from hardwear.reproduction.published import EPOCHS, PUBLISHED
from hardwear.reproduction.results import Results
from hardwear.reproduction.statistics import Paired
from hardwear.reproduction.summary import (
    FIGURES,
    Comparison,
    Spread,
    compare,
    figure,
    nearest_shares,
    on_test,
    readings,
    recall,
    rows_of,
    sweep,
)
from hardwear.reproduction.table import Row, experiments
from hardwear.reproduction.words import beside, interval, p_value, points, spread, what

Line = Sequence[str]
"""A table's row: its cells."""

CLASS_ORDER = ("SITTING", "STANDING", "LAYING", "WALKING", "WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS")
"""The paper's."""
_EMPTY = "–"


def main_lines(held: Results) -> Iterator[Line]:
    """The paper's rows, each with ours below it."""
    for method, published in PUBLISHED.items():
        figures = (published.macro_f1, published.accuracy, published.precision, published.recall)
        yield (f"**{published.name}**, the paper", "", "", "", *(_EMPTY if f is None else f"{f:.3f}" for f in figures))
        for experiment in experiments("main", method):
            for row in rows_of(experiment, held):
                yield _ours(row, held, figures)


def _ours(row: Row, held: Results, published: Sequence[float | None]) -> Line:
    metrics = on_test(held.of(row))
    epochs = _EMPTY if row.epochs is None else str(row.epochs)
    head = ("ours", f"`{row.experiment.settings.acceleration}`", epochs, str(len(metrics)))
    if not metrics:
        return (*head, f"not run yet: `{command([row])}`", "", "", "")
    return (*head, *(beside(figure(metrics, name), value) for name, value in zip(FIGURES, published, strict=True)))


def recall_lines(held: Results) -> Iterator[Line]:
    """Recall by class, of the paper where it gives them, and of all that was run."""
    for method, published in PUBLISHED.items():
        by_class = published.recall_by_class or dict.fromkeys(CLASSES)
        cells = (_EMPTY if by_class[name] is None else f"{by_class[name]:.3f}" for name in CLASS_ORDER)
        yield (f"**{published.name}**, the paper", "", *cells)
        for experiment in experiments("main", method):
            for row in rows_of(experiment, held):
                metrics = on_test(held.of(row))
                if metrics:
                    yield (f"ours, {what(row)}", str(len(metrics)), *_recall_cells(metrics, by_class))


def _recall_cells(metrics: Sequence[Metrics], published: dict[str, float] | dict[str, None]) -> Iterable[str]:
    values = recall(metrics)
    return (beside(Spread.of(values[:, CLASSES.index(name)].tolist()), published[name]) for name in CLASS_ORDER)


def center_loss_lines(held: Results) -> Iterator[Line]:
    """Without against with center loss, of the main rows."""
    for plain, centred in zip(experiments("main", "ce"), experiments("main", "center"), strict=True):
        for row in rows_of(plain, held):
            found = compare(held.of(row), held.of(Row(centred, row.epochs)))
            if found:
                head = (f"`{plain.settings.acceleration}`", str(row.epochs), str(found.pairs), _difference(found))
                yield (*head, interval(found.interval), interval(found.bootstrap), p_value(found.t_test), *_tail(found))


def sweep_lines(held: Results, epochs: int) -> list[Line]:
    """Each weight of the center loss against none."""
    return [_sweep_line(comparison) for comparison in sweep(held, epochs)]


def _sweep_line(line: Comparison) -> Line:
    head = (f"{line.weight:g}", str(len(line.seeds)), spread(line.scores, 4))
    found = line.against_none
    if found is None or line.corrected is None:
        return (*head, *[_EMPTY] * 6)
    tests = (p_value(found.t_test), p_value(line.corrected))
    return (*head, _difference(found), interval(found.interval), *tests, *_tail(found))


def _difference(found: Paired) -> str:
    return f"{points(found.mean)} ± {100 * found.sd:.1f}"


def _tail(found: Paired) -> Line:
    """What the signed ranks say, and what the t-test could have found."""
    ranks = f"{p_value(found.wilcoxon)} (least possible {found.wilcoxon_least:.3g})"
    return ranks, f"{100 * found.detectable:.1f}"


def reading_lines(held: Results) -> Iterator[Line]:
    """Every reading that was run with and without center loss, nearest to the paper first."""
    complete = [reading for reading in readings(held) if reading.complete]
    for reading, share in zip(complete, nearest_shares(complete), strict=True):
        yield (
            f"`{reading.acceleration}`",
            f"by {reading.split}",
            reading.lambda_2,
            reading.kept,
            str(reading.epochs),
            " + ".join(str(len(metrics)) for metrics in reading.metrics),
            *(spread(figure(metrics, "macro_f1"), 3) for metrics in reading.metrics),
            f"**{100 * reading.distance:.1f}**",
            f"{share:.0%}",
        )


def choice_lines(held: Results) -> Iterator[Line]:
    """What cross-validation chose for the support vector machines."""
    for experiment in experiments("main", "svm"):
        for record in held.of(Row(experiment, None)):
            choice = record.choice or {}
            yield (
                f"`{experiment.settings.acceleration}`",
                str(record.seed),
                f"{choice['C']:g}",
                f"{choice['gamma']:.2g}",
                f"{choice['features']}",
                f"{choice['support_vectors']:,}",
                f"{max(choice['cross_validation'].values()):.3f}",
            )


def cost_lines(held: Results) -> Iterator[Line]:
    """How long a run takes, as measured, and what that makes at the published schedule."""
    for method, published in PUBLISHED.items():
        row = rows_of(experiments("main", method)[0], held)[0]
        seconds = seconds_per_run(row, held)
        if seconds is None:
            yield (published.name, "not measured yet", "")
        elif row.epochs is None:
            yield (published.name, f"{seconds:.0f} s a seed", _EMPTY)
        else:
            each = seconds / row.epochs
            yield (published.name, f"{each:.1f} s an epoch", f"{each * EPOCHS / 3600:.1f} h a seed")


def missing(part: str, held: Results) -> str | None:
    """Which runs a part asks for that are not there, and what to type for them; None if all are."""
    rows = [Row(experiment, epochs) for experiment in experiments(part) for epochs in experiment.epochs]
    absent = {row: set(row.experiment.seeds) - {record.seed for record in held.of(row)} for row in rows}
    lacking = [row for row, seeds in absent.items() if seeds]
    if not lacking:
        return None
    whole = len(lacking) == len(rows)
    names = part if whole else ",".join(row.name for row in lacking)
    return f"Not run yet, {sum(map(len, absent.values()))} runs: `hardwear reproduce --only {names}`."


def command(rows: Sequence[Row]) -> str:
    """What to type for these rows."""
    return f"hardwear reproduce --only {','.join(row.name for row in rows)}"
