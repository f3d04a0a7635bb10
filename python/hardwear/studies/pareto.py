"""What accuracy costs: macro-F1 against bytes and multiply-accumulates, ours beside others'."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from hardwear import networks
from hardwear.datasets import SYNTHETIC
from hardwear.figures import BLUE, GREEN, ORANGE
from hardwear.metrics import pooled_metrics
from hardwear.provenance import provenance
from hardwear.reproduction import results as reproduced
from hardwear.reproduction.page import Paths
from hardwear.reproduction.published import PUBLISHED
from hardwear.reproduction.results import Record
from hardwear.reproduction.summary import figure, on_test
from hardwear.reproduction.table import choose
from hardwear.studies import seeds
from hardwear.studies.cost import Cost, cost_of, cost_of_machine
from hardwear.studies.results import ResultsFile, Row, documents, results_path
from hardwear.studies.words import not_measured, picture

STUDY = "pareto"
NAME = "all"

OURS, RERUN, REPORTED = "ours", "published method, run here", "reported, not run here"
KINDS = (OURS, RERUN, REPORTED)
_MADE_BY = {OURS: "hardwear study seeds", RERUN: "hardwear reproduce"}
"""What to type where none of a kind is there."""


@dataclass(frozen=True)
class Point:
    """One model on the figure and in the table."""

    name: str
    kind: str
    """One of `KINDS`."""
    score: float
    """Fraction; of what, `measure` tells."""
    measure: str
    """`macro-F1`, or `accuracy` where nothing else is told."""
    sd: float | None
    """Over the seeds; None of a single run, or where nothing is told."""
    weight_bytes: int
    """At one byte a weight: as if int8 cost nothing where it was not tried."""
    macs: int | None
    """A window; None where nothing is told."""
    source: str
    """Where score and cost come from, as Markdown."""
    note: str = ""


_NNOM_CONFUSION = (
    (496, 0, 0, 0, 0, 0),
    (34, 432, 5, 0, 0, 0),
    (1, 0, 419, 0, 0, 0),
    (1, 24, 0, 400, 66, 0),
    (4, 3, 0, 74, 451, 0),
    (0, 2, 0, 0, 0, 535),
)
_NNOM = "https://github.com/majianjia/nnom/blob/4d1d8fc05999e239ca2f3c482fc028362a52e3af"


def _reported() -> Iterator[Point]:
    """What others tell of small models on UCI-HAR's official split of people; none of it was run here."""
    yield Point(
        "NNoM uci-inception",
        REPORTED,
        pooled_metrics([_NNOM_CONFUSION]).macro_f1,
        "macro-F1",
        None,
        weight_bytes=2592 + 3072 + 4608 + 86016 + 384,
        macs=round(42.09 * 7342),
        source=f"[NNoM]({_NNOM}/docs/figures/uci_har_results.png)",
        note="int8, 9 channels, on an STM32L476. macro-F1 from its confusion matrix; bytes as in its "
        f"[weights]({_NNOM}/examples/uci-inception/uci_weights.h), MAC = its time × its operations a µs",
    )
    repository = "[EfficientHAR-Lite](https://github.com/oezeb/efficienthar-lite)"
    for tier, accuracy, sd, kilobytes in (("tiny", 0.944, 0.005, 65), ("default", 0.961, 0.002, 117)):
        yield Point(
            f"EfficientHAR-Lite {tier}",
            REPORTED,
            accuracy,
            "accuracy",
            sd,
            weight_bytes=kilobytes * 1024,
            macs=None,
            source=repository,
            note="int8; bytes are its flash, which holds more than weights",
        )
    yield Point(
        "Light-PTNet",
        REPORTED,
        0.9803,
        "accuracy",
        None,
        weight_bytes=100_000,
        macs=None,
        source="[Raja Sekaran et al. 2025](https://doi.org/10.1371/journal.pone.0331135)",
        note="float; “lower than 0.1 million parameters”: an upper bound",
    )
    yield Point(
        "HLM-Micro HAR v1",
        REPORTED,
        0.9352,
        "accuracy",
        None,
        weight_bytes=277_760,
        macs=None,
        source="[model card](https://huggingface.co/qriton/hlm-micro-har-v1-uci-har)",
        note="float; parameters",
    )
    for method, network in _NETWORKS.items():
        published, cost = PUBLISHED[method], cost_of(networks.build(network))
        yield Point(
            published.name,
            REPORTED,
            published.macro_f1,
            "macro-F1",
            None,
            weight_bytes=cost.weights,
            macs=cost.macs,
            source="the paper, see [reproduction.md](reproduction.md)",
            note="float" if network == "paper" else "float; the size is that of our network of this name",
        )


_NETWORKS = {"cnn": "cnn", "deepconvlstm": "deepconvlstm", "ce": "paper", "center": "paper"}
"""The network of each of the paper's methods that is one."""
_MACHINE = "svm"
"""The one that is none. The paper's own is told without a size."""


def points(out: Path, synthetic: bool) -> list[Point]:
    """All that is known: our seeds' results, the reproduction's, and what others report.

    Args:
        out: Folder of `results/`.
        synthetic: Leave out what is reported of people: simulated figures do not belong beside it.
    """
    return [*_ours(out), *_rerun(out), *([] if synthetic else _reported())]


def _ours(out: Path) -> Iterator[Point]:
    for document in documents(out, seeds.STUDY):
        summary = document["summary"]
        if "macro_f1_int8" in summary:
            yield Point(
                document["name"],
                OURS,
                summary["macro_f1_int8"],
                "macro-F1",
                summary["macro_f1_int8_sd"],
                summary["weight_bytes"],
                summary["macs"],
                source=f"[results/seeds_{document['name']}.json](results/seeds_{document['name']}.json)",
                note=f"int8 in TFLite-Micro, {len(summary['seeds'])} seeds",
            )


def _rerun(out: Path) -> Iterator[Point]:
    """Of each method of the paper the reading that did best here, so that ours is held against the strongest."""
    held = reproduced.read(Paths(out).results)
    if held is None:
        return
    for method in (_MACHINE, *_NETWORKS):
        rows = [row for row in choose("main") if row.experiment.method == method and on_test(held.of(row))]
        if not rows:
            continue
        scores = {row: figure(on_test(held.of(row)), "macro_f1") for row in rows}
        best = max(rows, key=lambda row: scores[row].mean)
        records = held.of(best)
        trained = f"{len(records)} seed{'s' if len(records) > 1 else ''}"
        cost = _cost_of(method, records)
        counted = "; support vectors, the largest of the seeds, without its features" if method == _MACHINE else ""
        yield Point(
            PUBLISHED[method].name,
            RERUN,
            scores[best].mean,
            "macro-F1",
            scores[best].sd,
            cost.weights,
            cost.macs,
            source="[reproduction.md](reproduction.md)",
            note=f"float, the best reading, `{best.name}`, {trained}{counted}",
        )


def _cost_of(method: str, records: Sequence[Record]) -> Cost:
    if method in _NETWORKS:
        return cost_of(networks.build(_NETWORKS[method]))
    choices = [record.choice for record in records if record.choice]
    largest = max(choices, key=lambda choice: int(choice["support_vectors"]))
    return cost_of_machine(largest["support_vectors"], largest["features"])


def collect(out: Path, synthetic: bool, command: str) -> ResultsFile:
    """Gather all points and write them to `results/pareto_all.json`; nothing is trained."""
    data: dict[str, str] = {}
    for document in documents(out, seeds.STUDY):
        data |= document["data"]
    head = {
        **provenance(command, data),
        "study": STUDY,
        "name": NAME,
        "synthetic": synthetic or SYNTHETIC in data,
        "of": {"seeds": sorted(document["name"] for document in documents(out, seeds.STUDY))},
    }
    results = ResultsFile(results_path(out, STUDY, NAME), head, summarize)
    results.put_all({f"{p.kind}: {p.name}": asdict(p) for p in points(out, synthetic)})
    return results


def summarize(rows: Mapping[str, Row]) -> dict[str, Any]:
    """Who is on the fronts."""
    found = [Point(**row) for row in rows.values()]
    return {
        "points": len(found),
        "front_bytes": [p.name for p in front(found, "weight_bytes")],
        "front_macs": [p.name for p in front(found, "macs")],
    }


def front(candidates: Sequence[Point], cost: str) -> list[Point]:
    """Those of known macro-F1 and cost that nobody beats in one without being beaten in the other, cheapest first."""
    known = [p for p in candidates if p.measure == "macro-F1" and getattr(p, cost) is not None]
    best: list[Point] = []
    for point in sorted(known, key=lambda p: (getattr(p, cost), -p.score)):
        if not best or point.score > best[-1].score:
            best.append(point)
    return best


# -- page -----------------------------------------------------------------------------------------------------------


def section(out: Path) -> str:
    """The page's part: a figure and the table behind it."""
    found = list(documents(out, STUDY))
    return _render(found[0], out) if found and found[0]["rows"] else not_measured(f"hardwear study {STUDY}")


def _render(document: Mapping[str, Any], out: Path) -> str:
    shown = sorted((Point(**row) for row in document["rows"].values()), key=lambda p: (KINDS.index(p.kind), -p.score))
    fronts = {cost: {id(p) for p in front(shown, cost)} for cost in ("weight_bytes", "macs")}
    path = picture(_figure(shown), out, STUDY)
    lines = [
        f"![macro-F1 against weight bytes and multiply-accumulates]({path})",
        "",
        "| model | score | weights, bytes | MAC a window | front | what, and where from |",
        "|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        for p in (p for p in shown if p.kind == kind):
            spread = "" if p.sd is None else f" ± {p.sd:.4f}"
            on = ", ".join(word for cost, word in (("weight_bytes", "bytes"), ("macs", "MAC")) if id(p) in fronts[cost])
            score = f"{p.score:.4f}{spread}{'' if p.measure == 'macro-F1' else f' ({p.measure})'}"
            macs = "not told" if p.macs is None else f"{p.macs:,}"
            name = f"**{p.name}**" if kind == OURS else p.name
            lines.append(f"| {name} | {score} | {p.weight_bytes:,} | {macs} | {on} | {kind}: {p.note}. {p.source} |")
    kinds = {p.kind for p in shown}
    lines += [
        "",
        *(f"None of *{kind}* yet: `{command}`." for kind, command in _MADE_BY.items() if kind not in kinds),
        "Scores are macro-F1 unless they say accuracy. On a front stands what nobody beats in macro-F1 for the same "
        "cost or less; what only tells its accuracy stands on none.",
        "",
        f"`{document['command']}`: [results/{STUDY}_{NAME}.json](results/{STUDY}_{NAME}.json).",
    ]
    return "\n".join(lines)


_STYLES = {OURS: (BLUE, "o"), RERUN: (ORANGE, "s"), REPORTED: (GREEN, "^")}


def _figure(shown: Sequence[Point]) -> Figure:
    figure = Figure(figsize=(10.0, 6.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    panels = ((left, "weight_bytes", "weights (bytes, one a weight)"), (right, "macs", "multiply-accumulates a window"))
    for axes, cost, title in panels:
        _panel(axes, shown, cost, title)
    left.set_ylabel("macro-F1, or accuracy where hollow (%)")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.draw_without_rendering()  # only then is it known where things lie
    for axes, cost, _ in panels:
        _label(axes, [(getattr(p, cost), p) for p in shown if getattr(p, cost) is not None])
    return figure


def _panel(axes: Axes, shown: Sequence[Point], cost: str, title: str) -> None:
    best = front(shown, cost)
    axes.step(
        [getattr(p, cost) for p in best], [100 * p.score for p in best], where="post", color="0.75", label="front"
    )
    told: set[str] = set()
    for p in shown:
        x = getattr(p, cost)
        if x is None:
            continue
        colour, marker = _STYLES[p.kind]
        fill = colour if p.measure == "macro-F1" else "none"
        axes.errorbar(
            x, 100 * p.score, yerr=None if p.sd is None else 100 * p.sd, fmt=marker, color=colour,
            markerfacecolor=fill, markersize=7, capsize=3, label=None if p.kind in told else p.kind,
        )  # fmt: skip
        told.add(p.kind)
    axes.set_xscale("log")
    axes.set_xlabel(title)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    costs = [getattr(p, cost) for p in shown if getattr(p, cost) is not None]
    axes.set_xlim(min(costs, default=1) / 2, max(costs, default=1) * 50)  # names stand to the right of their marks
    axes.margins(y=0.08)


_LIFT_POINTS = 40
"""How far a name may lie above or below its mark."""


def _label(axes: Axes, marks: Sequence[tuple[float, Point]]) -> None:
    """Names beside their marks, moved up or down as little as it takes for none to lie on a mark or another name."""
    place = axes.transData.transform
    taken = [
        Bbox.from_extents(*(place((cost, 100 * p.score)) - 5), *(place((cost, 100 * p.score)) + 5)) for cost, p in marks
    ]
    for cost, point in sorted(marks, key=lambda mark: mark[1].score):
        name = axes.annotate(
            point.name,
            (cost, 100 * point.score),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=_STYLES[point.kind][0],
        )
        for lift in sorted(range(-_LIFT_POINTS, _LIFT_POINTS + 1), key=abs):
            name.xyann = (8, lift)
            if not any(name.get_window_extent().overlaps(other) for other in taken):
                break
        taken.append(name.get_window_extent())
